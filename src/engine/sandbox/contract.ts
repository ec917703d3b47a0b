import type { RequestListener } from "node:http";
import type { Duplex } from "node:stream";

/** What one environment may reach beside the platform, where that is less than all may: the internet or nothing. */
export type NetworkChoice = "egress" | "none";

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
  /** The first process has ended; what it wrote is still passed on, and then `exited` is told. Left out by some ends. */
  exiting(): void;
  /** The first process has ended and all that it wrote has been passed on. */
  exited(exit: SandboxExit): void;
}

/** A file or folder of the host that the guest sees, read-only. */
export interface ReadOnlyMount {
  readonly source: string;
  readonly target: string;
}

/** What a sandbox is booted with: all but what belongs to one function. */
export interface SandboxOptions {
  /** Unique; names the environment's private folders. */
  readonly id: string;
  /** As the guest sees it. */
  readonly command: string;
  readonly args: readonly string[];
  /** As the guest sees it. Left out: its runtime goes where it is to be by itself. */
  readonly cwd?: string | undefined;
  /** The runtime's own files. Back ends of the `host` layout ignore them: there, the guest sees the host's paths. */
  readonly mounts: readonly ReadOnlyMount[];
  /**
   * An unpacked image, which the guest sees read-only as its whole file system, but for `mounts`, /proc, /dev and /tmp: no
   * file of the host's, and neither code nor layers. Its mount points are there (engine/code/images). For back ends of the
   * `aws` layout.
   */
  readonly root?: string | undefined;
  /** All that the process sees; nothing of the host's environment is added but the back end's own `TMPDIR`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
  /** Its guest looks for events that were recalled (guest/PROTOCOL.md, "Prefetched events"), where the back end can tell it. */
  readonly prefetches?: boolean | undefined;
  /** What it may reach, where that is less than all may. A back end that cannot hold it does not start. */
  readonly network?: NetworkChoice | undefined;
}

/** What is known of a sandbox before it is started. */
export type ExpectedSandbox = Pick<SandboxOptions, "mounts" | "ephemeralStorageMb">;

/** What makes a sandbox one function's. Folders are the host's, complete, never written to again. */
export interface Specialisation {
  /** The unpacked code. */
  readonly code: string;
  /** The layers, merged in order; undefined where the function has none. */
  readonly layers: string | undefined;
}

/** Where a guest finds what is its own, in its own view. */
export interface GuestPaths {
  /** LAMBDA_TASK_ROOT. */
  readonly task: string;
  /** The merged layers. */
  readonly opt: string | undefined;
  readonly tmp: string;
}

/**
 * The walls round one execution environment. After death (its own or by `kill`) `send` does nothing, no listener is
 * called, and once `kill` has resolved no process, folder or descriptor of it is left.
 */
export interface Sandbox {
  readonly id: string;
  /**
   * Binds a function's code and layers. Called once, before anything but `hello` has passed; rejects where the host
   * cannot, and the sandbox must then be killed.
   */
  specialise(what: Specialisation): Promise<void>;
  /** The init phase has ended: from here on the CPU share is that of its memory. Full speed before, as in AWS. */
  initialised(): void;
  /** Writes bytes to the guest. */
  send(bytes: Uint8Array): void;
  /**
   * The guest is to begin none of the first `count` events that it was ever given ahead of their turn, but what it has
   * begun by now. Undefined where the guest cannot be told: it must then be given none ahead.
   * @returns whether that is done; where it is not, the guest is killed
   */
  readonly recall?: ((count: number) => boolean) | undefined;
  /**
   * Whether it is serving something. Limits that are watched are watched only then; what is not busy is frozen soon
   * after. Setting it costs nothing, or one write where the environment had been frozen.
   */
  busy: boolean;
  /** The most memory that the watch has seen, in KiB; 0 where it has not looked yet. */
  readonly peakRssKb: number;
  /**
   * Connects to a TCP port under the sandbox's name for itself, `sandbox.localdomain`, where extensions listen for
   * telemetry; rejects where nobody does. Undefined where the back end cannot: subscribers are told so then.
   */
  readonly connect?: ((port: number) => Promise<Duplex>) | undefined;
  /** Ends every process of it. Idempotent; resolves when all is gone. */
  kill(): Promise<void>;
}

/** Takes what one sandbox alone sends to its listener. */
export interface GuestListener {
  readonly onRequest: RequestListener;
  /** What it sends to the same address and port by UDP. Nothing of it is trusted; it may come at any rate. */
  readonly onDatagram: (bytes: Buffer) => void;
}

export interface RuntimeApiListener {
  /** `host:port` as the guest reaches it: AWS_LAMBDA_RUNTIME_API. */
  readonly address: string;
  /** Whether datagrams come through, too. */
  readonly datagrams: boolean;
  /** For a sandbox that was never started. Idempotent. */
  close(): void;
}

/** What a host's back end does about one limit of Lambda's. */
export interface Enforcement {
  readonly limit: string;
  readonly level: "enforced" | "watched" | "not enforced";
  readonly how: string;
  /** What the operator can do about it. */
  readonly remedy?: string;
}

export interface SandboxBackend {
  readonly name: "process" | "bubblewrap" | "oci";
  /** `aws`: guests see /var/task, /opt, /tmp, /var/runtime and /var/lang; `host`: the host's own paths. */
  readonly layout: "aws" | "host";
  /** Where a guest will find what is its own; known before it is started. */
  paths(id: string, what: Specialisation): GuestPaths;
  /** The platform's own URL as its guests reach it. */
  endpointUrl(url: string): string;
  /** Opens a listener that only the sandbox `id`, to be started next, can reach: its Runtime API. Ends with the sandbox. */
  openRuntimeApi(id: string, listener: GuestListener, network?: NetworkChoice): Promise<RuntimeApiListener>;
  /** Starts a process; a failure to start is told by `exited`. */
  start(options: SandboxOptions, listener: SandboxListener): Sandbox;
  /** One with these options may be started soon: what takes long is made ready where it is not. Nothing is promised. */
  expect?(what: ExpectedSandbox): void;
  /** A folder of code that no sandbox will be given any more: what was kept for it may go. */
  forget?(folder: string): void;
  /** Final once `ready` has resolved. */
  enforcement(): readonly Enforcement[];
  /**
   * Resolves once sandboxes start without waiting and `endpointUrl` is final; rejects where they never will. Back ends
   * without it are ready when they are opened.
   */
  ready?(): Promise<void>;
  /** Ends the processes, and removes the folders, that an earlier process of the platform left when it died. Call it before `start`. */
  clean(): Promise<void>;
  /** Ends what is left and waits for it. */
  close(): Promise<void>;
}
