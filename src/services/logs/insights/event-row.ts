import type { LogRecord } from "#telemetry/log-record";
import { discover, type Discovered } from "./discovery.ts";
import { computedValue, type Row } from "./row.ts";
import type { Value } from "./values.ts";

/** The log stream that an event is from. */
export interface EventOrigin {
  readonly account: string;
  readonly group: string;
  readonly stream: string;
}

/** Where an event is: what `@ptr` names. */
export interface EventPlace extends EventOrigin {
  readonly sequence: number;
}

/** What every event has, beside what its message shows. */
export const STANDARD_FIELDS = ["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"] as const;

/** An event as queries see it; what its message holds is looked for only when it is asked for. */
export class EventRow implements Row {
  readonly #origin: EventOrigin;
  readonly #sequence: number;
  readonly #event: LogRecord;
  readonly #now: Date;
  #discovered: Discovered | undefined;
  #set: Map<string, Value> | undefined;

  /** @param now what now() answers */
  constructor(origin: EventOrigin, sequence: number, event: LogRecord, now: Date) {
    this.#origin = origin;
    this.#sequence = sequence;
    this.#event = event;
    this.#now = now;
  }

  get(field: string): Value {
    if (this.#set !== undefined) {
      const computed = computedValue(this.#set, field);
      if (computed !== undefined || this.#set.has(field)) return computed;
    }
    const event = this.#event;
    switch (field) {
      case "@message":
        return event.message;
      case "@timestamp":
        return new Date(event.timestamp);
      case "@ingestionTime":
        return new Date(event.ingestionTime);
      case "@logStream":
        return this.#origin.stream;
      case "@log":
        return `${this.#origin.account}:${this.#origin.group}`;
      case "@ptr":
        return encodePointer({ ...this.#origin, sequence: this.#sequence });
      case "@now":
        return this.#now;
      default:
        this.#discovered ??= discover(event.message);
        return this.#discovered.get(field);
    }
  }

  set(field: string, value: Value): void {
    this.#set ??= new Map();
    this.#set.set(field, value);
  }

  /** Names of what its message holds. */
  discovered(): Iterable<string> {
    this.#discovered ??= discover(this.#event.message);
    return this.#discovered.names();
  }

  own(): Iterable<string> {
    return this.#set?.keys() ?? [];
  }
}

export function encodePointer({ account, group, stream, sequence }: EventPlace): string {
  return Buffer.from(JSON.stringify([account, group, stream, sequence])).toString("base64");
}

/** What `encodePointer` wrote; undefined for anything else. */
export function decodePointer(pointer: string): EventPlace | undefined {
  try {
    const parts = JSON.parse(Buffer.from(pointer, "base64").toString("utf8")) as unknown;
    if (!Array.isArray(parts) || parts.length !== 4) return undefined;
    const [account, group, stream, sequence] = parts as unknown[];
    const texts = typeof account === "string" && typeof group === "string" && typeof stream === "string";
    if (!texts || !Number.isSafeInteger(sequence)) return undefined;
    return { account, group, stream, sequence: sequence as number };
  } catch {
    return undefined;
  }
}
