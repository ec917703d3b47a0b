import type { Config, RawConfig } from "#config/config";

/** A command as data; `program.ts` turns the table of them into a commander program. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** commander's notation: `<name>` is required, `[name]` optional. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[];
  readonly options?: readonly CommandOption[];
  /** Shown by --help: [what, command]. */
  readonly examples: readonly (readonly [what: string, line: string])[];
  /** Resolves with the exit code. */
  run(input: CommandInput, host: CliHost): Promise<number>;
}

export interface CommandOption {
  /** commander's notation, such as `--port <number>`. */
  readonly flags: string;
  readonly description: string;
}

export interface CommandInput {
  readonly arguments: readonly (string | undefined)[];
  /** By camel-case name; `true` for flags without a value. */
  readonly options: Readonly<Record<string, string | boolean | undefined>>;
}

/** Exit codes: scripts may rely on them. */
export const exit = { ok: 0, failed: 1, usage: 2, functionError: 3 } as const;

/** What commands need of the machine and the platform; `main` provides it, tests provide their own. */
export interface CliHost {
  readonly out: Output;
  readonly version: string;
  /** The folder of the installation, which holds `examples/`. */
  readonly home: string;
  loadConfig(flags: RawConfig): Config;
  startPlatform(config: Config): Promise<RunningPlatform>;
  /** What the host enforces, limit by limit. */
  doctor(config: Config): Promise<DoctorReport>;
  runtimes(config: Config): Promise<readonly RuntimeLine[]>;
  installRuntime(config: Config, name: string, progress: (line: string) => void): Promise<void>;
  /** Resolves at the next Ctrl-C or SIGTERM, which then do not end the process by themselves. */
  untilInterrupted(): Promise<void>;
}

export interface Output {
  line(text?: string): void;
  error(text: string): void;
  write(text: string | Uint8Array): void;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
}

export interface RunningPlatform {
  readonly url: string;
  readonly startedInMs: number;
  /** Drains: invocations under way get up to `graceMs` (the configured grace by default), then everything is ended. */
  close(graceMs?: number): Promise<void>;
}

export interface DoctorReport {
  readonly checks: readonly {
    readonly limit: string;
    readonly level: "enforced" | "watched" | "not enforced";
    readonly how: string;
    /** What to install or do for more. */
    readonly advice?: string;
  }[];
  readonly parts: readonly {
    readonly name: string;
    readonly found: string | undefined;
    readonly purpose: string;
  }[];
}

export interface RuntimeLine {
  readonly name: string;
  readonly state: "available" | "missing" | "not built";
  readonly version: string | undefined;
  readonly path: string | undefined;
}
