/** How a sandbox's first process ended. */
export interface SandboxExit {
  /** Exit status, or undefined where a signal ended it. */
  readonly status: number | undefined;
  /** Such as `SIGKILL`. */
  readonly signal: string | undefined;
  /** Why the platform ended it, where the platform did. */
  readonly cause: "memory" | "killed" | undefined;
  /** The error where the process could not even be started. */
  readonly error: Error | undefined;
}

/** What a sandbox tells its owner. None is called after `exited`; `exited` is called exactly once. */
export interface SandboxListener {
  /** Bytes of the guest's frames. */
  frames(chunk: Buffer): void;
  /** Bytes that a process of the sandbox wrote to its descriptor 1 or 2. */
  output(descriptor: 1 | 2, chunk: Buffer): void;
  /** The first process has ended and all that it wrote has been passed on. */
  exited(exit: SandboxExit): void;
}

export interface SandboxOptions {
  /** Unique; names the environment's private folders. */
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Working directory, LAMBDA_TASK_ROOT. */
  readonly cwd: string;
  /** All that the process sees; nothing of the host's environment is added but the back end's own `TMPDIR`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
}

/**
 * The walls round one execution environment. After death (its own or by `kill`) `send` does nothing, no listener is
 * called, and once `kill` has resolved no process, folder or descriptor of it is left.
 */
export interface Sandbox {
  readonly id: string;
  /** Its private temporary directory. */
  readonly tmp: string;
  /** Writes bytes to the guest. */
  send(bytes: Uint8Array): void;
  /** Whether it is serving something: limits that are watched are watched only then. Must cost nothing. */
  busy: boolean;
  /** The most memory that the watch has seen, in KiB; 0 where it has not looked yet. */
  readonly peakRssKb: number;
  /** Ends every process of it. Idempotent; resolves when all is gone. */
  kill(): Promise<void>;
}

/** What a host's back end does about one limit of Lambda's. */
export interface Enforcement {
  readonly limit: string;
  readonly level: "enforced" | "watched" | "not enforced";
  readonly how: string;
}

export interface SandboxBackend {
  readonly name: "process" | "bubblewrap" | "oci";
  /** Starts a process; a failure to start is told by `exited`. */
  start(options: SandboxOptions, listener: SandboxListener): Sandbox;
  enforcement(): readonly Enforcement[];
  /** Ends the processes, and removes the folders, that an earlier process of the platform left when it died. Call it before `start`. */
  clean(): Promise<void>;
  /** Ends what is left and waits for it. */
  close(): Promise<void>;
}
