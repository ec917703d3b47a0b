import type {
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
} from "#engine/sandbox/contract";

/** A sandbox without a process, played by the test. */
export class FakeSandbox implements Sandbox {
  readonly id: string;
  readonly tmp = "/tmp/fake";
  busy = true;
  peakRssKb = 0;
  readonly sent: Buffer[] = [];
  kills = 0;
  readonly listener: SandboxListener;

  constructor(options: SandboxOptions, listener: SandboxListener) {
    this.id = options.id;
    this.listener = listener;
  }

  send(bytes: Uint8Array): void {
    this.sent.push(Buffer.from(bytes));
  }

  async kill(): Promise<void> {
    this.kills++;
  }

  exit(exit: Partial<SandboxExit>): void {
    this.listener.exited({
      status: undefined,
      signal: undefined,
      cause: undefined,
      error: undefined,
      ...exit,
    });
  }
}

export class FakeBackend implements SandboxBackend {
  readonly name = "process";
  readonly started: FakeSandbox[] = [];

  start(options: SandboxOptions, listener: SandboxListener): FakeSandbox {
    const sandbox = new FakeSandbox(options, listener);
    this.started.push(sandbox);
    return sandbox;
  }

  enforcement(): readonly [] {
    return [];
  }

  async clean(): Promise<void> {}

  async close(): Promise<void> {}
}
