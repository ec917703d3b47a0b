import { ManualClock } from "#core/clock";
import type { GuestEvent } from "#engine/environment/channel";
import type {
  EnvironmentView,
  IdleEnvironment,
  Job,
  Outcome,
  PrefetchingEnvironment,
} from "#engine/environment/contract";
import { bootEnvironment } from "#engine/environment/environment";
import { FRAME, FrameParser, splitHeaded } from "#engine/environment/frames";
import { FakeBackend, logTo, PLAIN_SANDBOX } from "./fake-sandbox.ts";
import type { FakeSandbox } from "./fake-sandbox.ts";
import { headed, hello, initDone } from "./guest-frames.ts";

export const returned = (requestId: string): Buffer => headed(FRAME.returned, { requestId });

/** An event, or what it left behind, has ended the runtime. */
export const endedBy = (requestId: string): Buffer => headed(FRAME.error, { requestId, exit: true });

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** All that waits for something to be read has come to its end. */
export async function turns(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop
  for (let left = 6; left > 0; left--) await turn();
}

/** One event that its guest was sent: its request id, and its number if it was given ahead. */
export type Sent = readonly [requestId: string, prefetched: number | undefined];

/** An environment whose guest the test plays, and all that it has told jobs and its log, in order. */
export class PlayedEnvironment {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly sandbox: FakeSandbox;
  readonly environment: EnvironmentView;
  readonly #prefetches: boolean;

  /** @param prefetches whether its runtime says that it takes events ahead */
  constructor(prefetches = true) {
    const backend = new FakeBackend();
    const stem = bootEnvironment({
      sandbox: { ...PLAIN_SANDBOX, prefetches: true },
      backend,
      clock: this.clock,
    });
    this.#prefetches = prefetches;
    this.sandbox = backend.started[0] as FakeSandbox;
    this.environment = stem.adopt({
      specId: "s",
      specialisation: { code: "/code", layers: undefined },
      log: logTo((message) => this.told.push(`log ${message.trim()}`)),
      init: () => "{}",
      initTimeoutMs: 10_000,
      onInit: () => undefined,
      onDeath: () => this.told.push("dead"),
    });
  }

  /** Initialises it. */
  async idle(): Promise<IdleEnvironment> {
    await turns();
    const done = initDone(this.#prefetches ? { prefetches: true } : undefined);
    this.frames(hello, done);
    await turns();
    this.sandbox.sent.length = 0;
    return this.environment.idle() as IdleEnvironment;
  }

  /** Has it at the event `a`, with others behind it. */
  async serving(...ahead: string[]): Promise<void> {
    this.begin(await this.idle(), "a");
    this.prefetch(...ahead);
    await turns();
  }

  begin(idle: IdleEnvironment, requestId: string): void {
    idle.begin(this.#job(requestId), event(requestId));
  }

  prefetch(...requestIds: string[]): void {
    for (const requestId of requestIds)
      (this.environment.prefetching() as PrefetchingEnvironment).prefetch(
        this.#job(requestId),
        event(requestId),
      );
  }

  /** The guest says this, and all of it is read at once. */
  frames(...frames: readonly Buffer[]): void {
    this.sandbox.listener.frames(Buffer.concat(frames));
  }

  /** Moves the clock, and has read what can be read then. */
  async elapse(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turns();
  }

  /** Every event that the guest was sent, by the writes that they came with. */
  sent(): Sent[][] {
    return this.sandbox.sent.map((bytes) => {
      const events: Sent[] = [];
      new FrameParser((_type, body) => {
        const { requestId, prefetched } = splitHeaded(body).header as {
          requestId: string;
          prefetched?: number;
        };
        events.push([requestId, prefetched]);
      }).push(bytes);
      return events;
    });
  }

  #job(requestId: string): Job {
    const { told } = this;
    return {
      requestId,
      timeoutMs: 3000,
      begun: () => told.push(`${requestId} begun`),
      returned: () => told.push(`${requestId} returned`),
      finished: (outcome: Outcome) => told.push(`${requestId} ${outcome.kind}`),
    };
  }
}

function event(requestId: string): GuestEvent {
  return {
    requestId,
    deadlineMs: 0,
    invokedFunctionArn: "arn",
    traceId: "Root=1",
    clientContext: undefined,
    payload: Buffer.from("{}"),
  };
}
