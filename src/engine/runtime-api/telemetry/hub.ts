import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "#core/clock";
import { readBody } from "../body.ts";
import { ApiError, sendJson } from "../reply.ts";
import { categoryOf } from "./events.ts";
import type { TelemetryEvent } from "./events.ts";
import { Subscriber } from "./subscriber.ts";
import type { Connect } from "./subscriber.ts";
import { parseSubscription } from "./subscription.ts";
import type { TelemetryApi, TelemetryType } from "./subscription.ts";

const MAX_BODY_BYTES = 16 * 1024;
/**
 * What happened before an extension could subscribe is kept for it: up to this many events, 256 KB of text. As many more may
 * be the platform's, which lines must not crowd out.
 */
const BACKLOG = { events: 1000, characters: 262_144 };

export interface HubOptions {
  readonly clock: Clock;
  /** Undefined where the sandbox cannot be connected to. */
  readonly connect: () => Connect | undefined;
  /** Whether the function's log is in JSON. */
  readonly structured: boolean;
  /** Told of each new subscription. */
  readonly onSubscribed: (extension: string, api: TelemetryApi, types: readonly TelemetryType[]) => void;
}

/** The Logs API and the Telemetry API of one environment, and the events that go by them. */
export class TelemetryHub {
  readonly #options: HubOptions;
  readonly #subscribers = new Map<string, Subscriber>();
  #backlog: TelemetryEvent[] | undefined = [];
  #backlogCharacters = 0;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  /** Somebody has subscribed, or still may. */
  get active(): boolean {
    return this.#backlog !== undefined || this.#subscribers.size > 0;
  }

  platform(time: number, type: string, record: object): void {
    if (this.active) this.#emit({ time, type: `platform.${type}`, record });
  }

  line(type: "function" | "extension", time: number, record: string): void {
    if (this.active) this.#emit({ time, type, record, structured: this.#options.structured });
  }

  /** PUT logs and PUT telemetry; idempotent for each extension. */
  async subscribe(
    api: TelemetryApi,
    extension: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const connect = this.#options.connect();
    // What AWS answers "during local testing": extensions go on without.
    if (connect === undefined) {
      await readBody(request, MAX_BODY_BYTES);
      sendJson(response, 202, {
        errorMessage: `${api} API is not supported`,
        errorType: `${api}.NotSupported`,
      });
      return;
    }
    const body = await readBody(request, MAX_BODY_BYTES);
    const subscription = parseSubscription(api, body.kind === "whole" ? body.bytes : Buffer.alloc(0));
    if (this.#backlog === undefined)
      throw new ApiError(403, `${api}.SubscriptionClosed`, `${api} API subscription is closed already`);
    const before = this.#subscribers.get(extension);
    if (before !== undefined && before.subscription.api !== api)
      throw new ApiError(
        400,
        `${api}.ValidationError`,
        `the extension is subscribed to the ${before.subscription.api} API already`,
      );
    before?.close();
    const subscriber = new Subscriber(subscription, this.#options.clock, connect);
    this.#subscribers.set(extension, subscriber);
    for (const event of this.#backlog)
      if (subscription.types.includes(categoryOf(event))) subscriber.push(event);
    sendJson(response, 200, "OK");
    this.#options.onSubscribed(extension, api, subscription.types);
  }

  /** The init phase is over: nobody else may subscribe. */
  closeSubscription(): void {
    this.#backlog = undefined;
  }

  /** The environment is (not) running. */
  set running(value: boolean) {
    for (const subscriber of this.#subscribers.values())
      if (value) subscriber.resume();
      else subscriber.pause();
  }

  async flush(): Promise<void> {
    await Promise.all([...this.#subscribers.values()].map((subscriber) => subscriber.flush()));
  }

  close(): void {
    for (const subscriber of this.#subscribers.values()) subscriber.close();
  }

  #roomInBacklog(kept: number, { record }: TelemetryEvent): boolean {
    if (typeof record !== "string") return kept < 2 * BACKLOG.events;
    this.#backlogCharacters += record.length;
    return kept < BACKLOG.events && this.#backlogCharacters <= BACKLOG.characters;
  }

  /** Only while it is `active`: what is told to nobody is not made. */
  #emit(event: TelemetryEvent): void {
    const category = categoryOf(event);
    for (const subscriber of this.#subscribers.values())
      if (subscriber.subscription.types.includes(category)) subscriber.push(event);
    if (this.#backlog !== undefined && this.#roomInBacklog(this.#backlog.length, event))
      this.#backlog.push(event);
  }
}
