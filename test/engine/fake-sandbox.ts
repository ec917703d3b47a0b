import { EnvironmentLog } from "#engine/environment/log";
import type {
  Sandbox,
  SandboxBackend,
  SandboxExit,
  SandboxListener,
  SandboxOptions,
  Specialisation,
} from "#engine/sandbox/contract";

/** What a sandbox is booted with where nothing depends on it. */
export const PLAIN_SANDBOX: SandboxOptions = {
  id: "e",
  command: "c",
  args: [],
  mounts: [],
  environment: {},
  memoryMb: 128,
  ephemeralStorageMb: 512,
};

/** A function's log, whose lines the test takes. */
export function logTo(take: (message: string) => void): EnvironmentLog {
  return new EnvironmentLog(
    { write: ({ message }) => take(message) },
    {
      account: "0",
      region: "r",
      group: "g",
      stream: "s",
      writer: { account: "0", name: "f", arn: "function", roleArn: "role" },
    },
  );
}

/** A sandbox without a process, played by the test. */
export class FakeSandbox implements Sandbox {
  readonly id: string;
  busy = true;
  peakRssKb = 0;
  readonly sent: Buffer[] = [];
  kills = 0;
  fullSpeed = true;
  specialisation: Specialisation | undefined;
  readonly listener: SandboxListener;
  /** What was recalled, where its guest takes events ahead. */
  readonly recalls: number[] = [];
  readonly recall: Sandbox["recall"];
  recallable = true;

  constructor(options: SandboxOptions, listener: SandboxListener) {
    this.id = options.id;
    this.listener = listener;
    if (options.prefetches !== true) return;
    this.recall = (count) => {
      this.recalls.push(count);
      return this.recallable;
    };
  }

  async specialise(what: Specialisation): Promise<void> {
    this.specialisation = what;
  }

  initialised(): void {
    this.fullSpeed = false;
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
  ready?: () => Promise<void>;
  readonly name = "process";
  readonly layout = "aws";
  readonly started: FakeSandbox[] = [];

  start(options: SandboxOptions, listener: SandboxListener): FakeSandbox {
    const sandbox = new FakeSandbox(options, listener);
    this.started.push(sandbox);
    return sandbox;
  }

  paths(): { task: string; opt: undefined; tmp: string } {
    return { task: "/var/task", opt: undefined, tmp: "/tmp" };
  }

  endpointUrl(url: string): string {
    return url;
  }

  openRuntimeApi(): Promise<never> {
    return Promise.reject(new Error("no Runtime API"));
  }

  enforcement(): readonly [] {
    return [];
  }

  async clean(): Promise<void> {}

  async close(): Promise<void> {}
}
