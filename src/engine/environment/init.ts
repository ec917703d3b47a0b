import type { Clock } from "#core/clock";
import type { ExtensionView } from "../runtime-api/extensions.ts";
import type { InitError } from "./channel.ts";
import type { AdoptionOptions, Failure, IdleEnvironment, InitResult } from "./contract.ts";
import { initEnd, notStarted } from "./exits.ts";
import type { Guest } from "./guest.ts";
import type { PhaseLimit } from "./phase-limit.ts";

/** A host that does not get a runtime started in this time has failed; many starts at once take a while on few cores. */
const BOOT_LIMIT_MS = 60_000;

/** How an init ended that did not go well; how long it took is added. */
type Unfinished<Result = Exclude<InitResult, { kind: "ready" }>> = Result extends { initMs: number }
  ? Omit<Result, "initMs">
  : never;

/** The way of one environment from its boot to its first event: what it waits for, how long it may take, and how it went. */
export class Init {
  readonly #clock: Clock;
  readonly #guest: Guest;
  readonly #limit: PhaseLimit;
  /** When the function's init began; until then, when the environment became the function's. */
  #at = 0;
  /** Whether the function's files are in place. */
  #specialised = false;
  /** Whether the guest has said hello. */
  hello = false;
  /** What the guest ended it with; told a turn later, or by the environment's end where that comes first. */
  error: InitError | undefined;

  constructor(clock: Clock, guest: Guest, limit: PhaseLimit) {
    this.#clock = clock;
    this.#guest = guest;
    this.#limit = limit;
  }

  /** It may be asked of the guest. */
  get due(): boolean {
    return this.hello && this.#specialised;
  }

  /** Makes the guest a function's; resolves once the function's files are in place. */
  adopt(options: AdoptionOptions): Promise<void> {
    this.#at = this.#limit.start(BOOT_LIMIT_MS);
    this.#guest.adopt(options);
    this.#guest.busy = true;
    return this.#guest.enclosure.specialise(options.specialisation).then(() => {
      this.#specialised = true;
    });
  }

  /** Asks it of the guest. @returns why it cannot even be asked, where it is so */
  start(): Failure | undefined {
    // The time that the host took to start a process is not the function's.
    this.#at = this.#limit.start(this.#guest.adopted.initTimeoutMs);
    return this.#guest.initialise();
  }

  /** It has gone well. */
  succeeded(environment: IdleEnvironment): void {
    const { adopted, api, enclosure, output } = this.#guest;
    const initMs = this.#ms;
    this.#limit.clear();
    enclosure.initialised();
    api?.extensions.close();
    this.#tellExtensions(({ ready }) => ready);
    output.initReport({ status: "success" }, initMs);
    api?.telemetry.closeSubscription();
    adopted.onInit({ kind: "ready", environment, initMs });
  }

  /** It has not. A guest ends right after it has told its error: its end may be seen in the same turn, and is not the reason. */
  failed(how: Unfinished): void {
    const { adoption, api, output } = this.#guest;
    const reason: Unfinished = this.error === undefined ? how : { kind: "error", ...this.error };
    const end = initEnd(reason);
    const initMs = this.#ms;
    // The runtime is started once all extensions have registered.
    if (api?.extensions.registered !== false) output.initRuntimeDone(end);
    this.#tellExtensions(() => true);
    output.initReport(end, initMs);
    adoption?.onInit({ ...reason, initMs });
  }

  #tellExtensions(which: (extension: ExtensionView) => boolean): void {
    const { adoption, api } = this.#guest;
    for (const extension of api?.extensions.all ?? [])
      if (which(extension)) adoption?.api?.onExtension(extension);
  }

  /** @param asked whether the guest was asked for it: else it is the host that took too long */
  timedOut(asked: boolean): void {
    if (asked) return this.failed({ kind: "timeout" });
    const error = new Error(`the runtime did not start within ${BOOT_LIMIT_MS / 1000} seconds`);
    this.failed({ kind: "exit", exit: notStarted(error) });
  }

  get #ms(): number {
    return this.#clock.monotonic() - this.#at;
  }
}
