import type { LiveTailSessionStart, StartLiveTailResponseStream } from "@aws-sdk/client-cloudwatch-logs";
import type { Clock } from "#core/clock";
import type { LogFilter } from "#patterns/filter/pattern";
import { decodeLogRecord } from "#telemetry/log-record";
import { logsErrors } from "../errors.ts";
import type { AppendedEvents } from "../ingestion.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../store.ts";
import { LiveTailSession } from "./session.ts";

export interface Tailing {
  readonly scope: Scope;
  /** Names of the groups. */
  readonly groups: readonly string[];
  readonly wantsStream: (stream: string) => boolean;
  readonly matches: LogFilter;
  readonly start: LiveTailSessionStart;
  /** Ends the session when the client has gone. */
  readonly signal: AbortSignal;
}

/** All Live Tail sessions. What nobody tails costs one look-up for each batch of events. */
export class LiveTail {
  readonly #clock: Clock;
  readonly #random: () => number;
  /** By account and region. */
  readonly #sessions = new Map<string, Set<LiveTailSession>>();
  /** By account, region and group. */
  readonly #byGroup = new Map<string, Set<LiveTailSession>>();

  constructor(clock: Clock, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How many sessions there are. */
  get size(): number {
    let size = 0;
    for (const sessions of this.#sessions.values()) size += sessions.size;
    return size;
  }

  /** @throws AwsError LimitExceededException */
  start(tailing: Tailing): AsyncGenerator<StartLiveTailResponseStream> {
    const { scope, groups, wantsStream, matches, start, signal } = tailing;
    const owner = keyOf(scope);
    if ((this.#sessions.get(owner)?.size ?? 0) >= LIMITS.liveTailSessions) throw logsErrors.limit();
    const keys = [...new Set(groups)].map((group) => keyOf(scope, group));
    const leave = (): void => session.end();
    const session: LiveTailSession = new LiveTailSession({
      clock: this.#clock,
      random: this.#random,
      start,
      wantsStream,
      matches,
      onEnd: () => {
        signal.removeEventListener("abort", leave);
        remove(this.#sessions, owner, session);
        for (const key of keys) remove(this.#byGroup, key, session);
      },
    });
    add(this.#sessions, owner, session);
    for (const key of keys) add(this.#byGroup, key, session);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    return session.events();
  }

  /** To be called after events have been appended. */
  appended({ scope, group, stream, records }: AppendedEvents): void {
    if (this.#byGroup.size === 0) return;
    const sessions = this.#byGroup.get(keyOf(scope, group));
    if (sessions === undefined) return;
    const wanting = [...sessions].filter((session) => session.wantsStream(stream));
    if (wanting.length === 0) return;
    const events = records.map(({ body }) => decodeLogRecord(body));
    for (const session of wanting) session.take(`${scope.account}:${group}`, stream, events);
  }

  /** Ends all sessions: the platform stops, or forgets everything. */
  close(): void {
    for (const sessions of this.#sessions.values())
      for (const session of sessions) session.end(logsErrors.sessionStreaming());
  }
}

function add(map: Map<string, Set<LiveTailSession>>, key: string, session: LiveTailSession): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, new Set([session]));
  else known.add(session);
}

function remove(map: Map<string, Set<LiveTailSession>>, key: string, session: LiveTailSession): void {
  const known = map.get(key);
  known?.delete(session);
  if (known?.size === 0) map.delete(key);
}

function keyOf({ account, region }: Scope, group = ""): string {
  return `${account} ${region} ${group}`;
}
