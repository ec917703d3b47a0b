import { listenerVariables } from "../runtimes/boot.ts";
import type {
  GuestListener,
  RuntimeApiListener,
  Sandbox,
  SandboxListener,
  Specialisation,
} from "../sandbox/contract.ts";
import type { BootOptions } from "./contract.ts";
import { notStarted } from "./exits.ts";

/**
 * The sandbox of one environment with its Runtime API, which is opened before it: its process finds the address in its
 * variables. Until then it is as if the sandbox were booting.
 */
export class Enclosure {
  readonly #options: BootOptions;
  readonly #owner: SandboxListener;
  readonly #opened: Promise<void> | undefined;
  #sandbox: Sandbox | undefined;
  #api: RuntimeApiListener | undefined;
  #busy = false;
  #killed = false;

  /** @param guest takes what comes to its Runtime API, where it has one */
  constructor(options: BootOptions, owner: SandboxListener, guest: GuestListener) {
    this.#options = options;
    this.#owner = owner;
    if (options.runtimeApi === undefined) this.#start();
    else this.#opened = this.#open(guest);
  }

  /** Variables that tell where its Runtime API is; none where there is none. */
  get variables(): Readonly<Record<string, string>> {
    return this.#api === undefined ? {} : listenerVariables(this.#api);
  }

  get peakRssKb(): number {
    return this.#sandbox?.peakRssKb ?? 0;
  }

  get connect(): Sandbox["connect"] {
    return this.#sandbox?.connect;
  }

  get recall(): Sandbox["recall"] {
    return this.#sandbox?.recall;
  }

  set busy(value: boolean) {
    this.#busy = value;
    if (this.#sandbox !== undefined) this.#sandbox.busy = value;
  }

  send(bytes: Uint8Array): void {
    this.#sandbox?.send(bytes);
  }

  /** Resolves too where it has died meanwhile, which `exited` tells. */
  async specialise(what: Specialisation): Promise<void> {
    if (this.#sandbox === undefined) await this.#opened;
    await this.#sandbox?.specialise(what);
  }

  initialised(): void {
    this.#sandbox?.initialised();
  }

  /** Ends every process of it; resolves when all is gone. */
  async kill(): Promise<void> {
    if (this.#sandbox !== undefined) return this.#sandbox.kill();
    const told = this.#killed;
    this.#killed = true;
    if (!told) this.#owner.exited(notStarted(undefined));
    await this.#opened;
  }

  closeApi(): void {
    this.#api?.close();
  }

  async #open(guest: GuestListener): Promise<void> {
    const { backend, sandbox, protocol } = this.#options;
    try {
      this.#api = await backend.openRuntimeApi(sandbox.id, guest, sandbox.network);
    } catch (error) {
      // A runtime that speaks frames can do without.
      if (protocol?.launched === true && !this.#killed) {
        this.#killed = true;
        return this.#owner.exited(notStarted(error as Error));
      }
    }
    if (this.#killed) this.closeApi();
    else this.#start();
  }

  #start(): void {
    const { backend, sandbox } = this.#options;
    const environment = { ...sandbox.environment, ...this.variables };
    this.#sandbox = backend.start({ ...sandbox, environment }, this.#owner);
    if (this.#busy) this.#sandbox.busy = true;
  }
}
