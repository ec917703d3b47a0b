import { handleRequest } from "../runtime-api/api.ts";
import type { ApiParts } from "../runtime-api/api.ts";
import { LaunchedChannel } from "../runtime-api/launch.ts";
import type { LaunchPlan } from "../runtime-api/launch.ts";
import { apiParts } from "../runtime-api/parts.ts";
import type { SandboxListener } from "../sandbox/contract.ts";
import type { Channel, ChannelListener } from "./channel.ts";
import type { AdoptionOptions, BootOptions, Failure, GuestProtocol } from "./contract.ts";
import { Enclosure } from "./enclosure.ts";
import { FrameChannel } from "./frame-channel.ts";
import { FrameParser } from "./frames.ts";
import { GuestOutput } from "./output.ts";

const FRAMES: GuestProtocol = { launched: false, runtime: "frames" };

/** Told what extensions do that no runtime tells of. */
export interface ExtensionsListener {
  /** They have got on: a phase may be over. */
  progressed(): void;
  /** One reported an error and is to exit. */
  extensionFailed(errorType: string, message: string): void;
}

/**
 * What is within one environment, and the ways to it: the sandbox, the channel that its protocol needs, its HTTP APIs, and
 * where what it writes goes. It knows of no phase: whatever it is asked, its owner has found that it may be asked now.
 */
export class Guest {
  readonly enclosure: Enclosure;
  readonly channel: Channel;
  /** Takes what comes by the channel's descriptor. */
  readonly parser = new FrameParser((type, body) => this.channel.frame(type, body));
  readonly output: GuestOutput;
  /** Its HTTP APIs, where it has any, once it is a function's. */
  api: ApiParts | undefined;
  /** Its runtime says that it takes events ahead of their turn. */
  takesAhead = false;
  readonly #boot: BootOptions;
  readonly #owner: ChannelListener & ExtensionsListener;
  readonly #launcher: LaunchedChannel | undefined;
  #adoption: AdoptionOptions | undefined;

  constructor(options: BootOptions, owner: SandboxListener & ChannelListener & ExtensionsListener) {
    this.#boot = options;
    this.#owner = owner;
    const { launched, runtime } = options.protocol ?? FRAMES;
    const send = (bytes: Uint8Array): void => this.enclosure.send(bytes);
    const frames = (): Channel =>
      new FrameChannel(owner, send, () => this.adopted.init(this.enclosure.variables));
    if (launched)
      this.#launcher = new LaunchedChannel(
        owner,
        send,
        () => this.#launchPlan(),
        runtime === "frames" ? frames() : undefined,
        (event) => this.api?.runtime?.invoke(event),
      );
    this.channel = this.#launcher ?? frames();
    this.output = new GuestOutput(options.clock, launched);
    this.enclosure = new Enclosure(options, owner, {
      onRequest: (request, response) => handleRequest(this.api, request, response),
      onDatagram: (bytes) => this.api?.traceDaemon?.datagram(bytes),
    });
  }

  /** Whose it is; undefined until it is a function's. */
  get adoption(): AdoptionOptions | undefined {
    return this.#adoption;
  }

  /** @throws Error where it is no function's yet */
  get adopted(): AdoptionOptions {
    if (this.#adoption === undefined)
      throw new Error(`environment ${this.#boot.sandbox.id} belongs to no function yet`);
    return this.#adoption;
  }

  /** Makes it a function's; its files and its init come later. */
  adopt(options: AdoptionOptions): void {
    this.#adoption = options;
    const { clock, runtimeApi, protocol } = this.#boot;
    if (options.api !== undefined && runtimeApi !== undefined)
      this.api = apiParts({
        clock,
        ids: runtimeApi,
        function: options.api,
        http: protocol?.runtime === "http",
        connect: () => this.enclosure.connect,
        guest: this.#owner,
        progressed: () => this.#owner.progressed(),
        failed: (errorType, message) => this.#owner.extensionFailed(errorType, message),
      });
    this.output.attach(options.log, this.api?.telemetry, options.api);
  }

  /**
   * Whether events can follow each other without the platform between them: where nothing beside the runtime has a part in
   * them, and all that the function says comes by the channel.
   */
  get prefetches(): boolean {
    if (!this.takesAhead) return false;
    const { api, channel, enclosure, output } = this;
    const alone = api === undefined || (api.extensions.none && !api.telemetry.active);
    return alone && !output.unframed && channel.prefetch !== undefined && enclosure.recall !== undefined;
  }

  set busy(busy: boolean) {
    this.enclosure.busy = busy;
    if (this.api !== undefined) this.api.telemetry.running = busy;
  }

  /** Asks it to initialise its function. @returns why it cannot even be asked, where it is so */
  initialise(): Failure | undefined {
    const fault = this.#launcher === undefined ? undefined : this.#launchPlan().fault;
    if (fault === undefined) this.channel.initialise();
    return fault;
  }

  /** Every extension has registered: what is launched may have its runtime now. Does nothing the second time. */
  startRuntime(): void {
    this.#launcher?.startRuntime();
  }

  /** Its extensions have their shutdown phase. */
  shutsDown(): void {
    this.busy = true;
    void this.api?.telemetry.flush();
  }

  /** So many bytes of a streamed response have gone on. */
  taken(bytes: number): void {
    if (this.api?.runtime === undefined) this.channel.taken(bytes);
    else this.api.runtime.taken(bytes);
  }

  #launchPlan(): LaunchPlan {
    const plan = this.adopted.launch?.(this.enclosure.variables);
    if (plan === undefined)
      throw new Error(`environment ${this.#boot.sandbox.id} is launched without a plan`);
    return plan;
  }
}
