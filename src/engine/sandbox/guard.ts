import type {
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
  Specialisation,
} from "./contract.ts";

/**
 * Holds any back end to the contract, so that each need not do so by itself: a sandbox dies once, stays dead after its
 * first error, tells of it once, and nothing comes from it afterwards.
 */
export function guarded(backend: SandboxBackend): SandboxBackend {
  const living = new Set<GuardedSandbox>();
  return {
    name: backend.name,
    layout: backend.layout,
    paths: (id, what) => backend.paths(id, what),
    endpointUrl: (url) => backend.endpointUrl(url),
    openRuntimeApi: (id, listener, network) => backend.openRuntimeApi(id, listener, network),
    expect: (options) => backend.expect?.(options),
    forget: (folder) => backend.forget?.(folder),
    enforcement: () => backend.enforcement(),
    ready: () => backend.ready?.() ?? Promise.resolve(),
    clean: () => backend.clean(),
    start(options, listener) {
      const sandbox = new GuardedSandbox(backend, options, listener, (gone) => living.delete(gone));
      living.add(sandbox);
      return sandbox;
    },
    async close() {
      await Promise.all([...living].map((sandbox) => sandbox.kill()));
      await backend.close();
    },
  };
}

class GuardedSandbox implements Sandbox, SandboxListener {
  readonly id: string;
  readonly #listener: SandboxListener;
  readonly #inner: Sandbox | undefined;
  readonly #gone: (sandbox: GuardedSandbox) => void;
  #dead = false;
  #killing: Promise<void> | undefined;

  constructor(
    backend: SandboxBackend,
    options: SandboxOptions,
    listener: SandboxListener,
    gone: (sandbox: GuardedSandbox) => void,
  ) {
    this.id = options.id;
    this.#listener = listener;
    this.#gone = gone;
    try {
      this.#inner = backend.start(options, this);
    } catch (error) {
      // Told later, as every other end is: the owner has not been given this object yet.
      queueMicrotask(() => this.exited(failure(error)));
    }
  }

  get peakRssKb(): number {
    return this.#inner?.peakRssKb ?? 0;
  }

  get busy(): boolean {
    return this.#inner?.busy ?? false;
  }

  set busy(value: boolean) {
    if (this.#inner !== undefined) this.#inner.busy = value;
  }

  get connect(): Sandbox["connect"] {
    const connect = this.#inner?.connect;
    if (connect === undefined) return undefined;
    return (port) => (this.#dead ? Promise.reject(new Error("the sandbox is dead")) : connect(port));
  }

  get recall(): Sandbox["recall"] {
    return this.#inner?.recall === undefined ? undefined : this.#recall;
  }

  /** One for all times that it is asked for: that is once an event. */
  readonly #recall = (count: number): boolean => {
    if (this.#dead || this.#killing !== undefined) return false;
    try {
      if (this.#inner?.recall?.(count) === true) return true;
    } catch {
      // What the guest has been given it would begin all the same.
    }
    void this.kill();
    return false;
  };

  async specialise(what: Specialisation): Promise<void> {
    if (this.#dead || this.#inner === undefined) return;
    try {
      await this.#inner.specialise(what);
    } catch (error) {
      // One that died meanwhile tells so by `exited`.
      if (!this.#dead) this.exited(failure(error));
    }
  }

  initialised(): void {
    if (!this.#dead) this.#inner?.initialised();
  }

  send(bytes: Uint8Array): void {
    if (this.#dead || this.#killing !== undefined) return;
    try {
      this.#inner?.send(bytes);
    } catch {
      void this.kill();
    }
  }

  kill(): Promise<void> {
    this.#killing ??= (this.#inner?.kill() ?? Promise.resolve()).finally(() => this.#gone(this));
    return this.#killing;
  }

  frames(chunk: Buffer): void {
    if (!this.#dead) this.#listener.frames(chunk);
  }

  output(descriptor: 1 | 2, chunk: Buffer): void {
    if (!this.#dead) this.#listener.output(descriptor, chunk);
  }

  exiting(): void {
    if (!this.#dead) this.#listener.exiting();
  }

  exited(exit: SandboxExit): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#listener.exited(exit);
    void this.kill();
  }
}

function failure(error: unknown): SandboxExit {
  return {
    status: undefined,
    signal: undefined,
    cause: undefined,
    error: error instanceof Error ? error : new Error(String(error)),
  };
}
