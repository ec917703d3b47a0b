import type { RootKey } from "#core/root-key";
import type { ClientConfig, RawClientConfig } from "#config/client";
import type { RawConfig } from "#config/config";
import type { Config } from "#config/settings";

/** A command as data; `program.ts` turns the table of them into a commander program. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** commander's notation: `<name>` is required, `[name]` optional. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[];
  readonly options?: readonly CommandOption[];
  /** Shown by --help: [what, command]. */
  readonly examples: readonly (readonly [what: string, line: string])[];
  /** Hands options that it does not know, and all arguments, to another program. */
  readonly passesOn?: boolean;
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
  /** Of a command that passes on: everything that was no option of its own, as it was written. */
  readonly rest: readonly string[];
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
  /** How the user calls the program, such as `./thaw`: for commands that are printed to be copied. */
  readonly program: string;
  loadConfig(flags: RawConfig): Config;
  loadClientConfig(flags: RawClientConfig): ClientConfig;
  /** What `thaw env` sets, and the variables that would be in its way. */
  clientConfigForTools(flags: RawClientConfig): {
    readonly config: ClientConfig;
    readonly inTheWay: readonly string[];
  };
  /** Whether client commands look into a data folder without being told. */
  isFoundByClients(folder: string): boolean;
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
  /** Columns of the terminal; undefined where the output is none. */
  readonly width?: number | undefined;
}

export interface RunningPlatform {
  readonly url: string;
  readonly startedInMs: number;
  /** The file of the platform's own authority, which clients have to trust; undefined where there is none. */
  readonly authority?: string | undefined;
  /** Where it keeps everything; a temporary folder where it is ephemeral. */
  readonly folder: string;
  /** The secret is never printed, but by `thaw env`. */
  readonly rootKey: RootKey;
  /** Where the root key is kept; undefined where the operator gave it, or everybody knows it. */
  readonly rootKeyFile?: string | undefined;
  /** Drains: invocations under way get up to `graceMs` (the configured grace by default), then everything is ended. */
  close(graceMs?: number): Promise<void>;
}

export interface DoctorReport {
  /** The back end that functions run on here. */
  readonly backend: string;
  readonly checks: readonly {
    readonly limit: string;
    readonly level: "enforced" | "watched" | "not enforced";
    readonly how: string;
    /** What to install or do, wherever a limit is not enforced. */
    readonly remedy?: string;
  }[];
  readonly runtimes: readonly RuntimeLine[];
}

export interface RuntimeLine {
  /** Lambda's identifier, such as `nodejs22.x`. */
  readonly name: string;
  readonly state: "available" | "missing";
  /** Of the interpreter; neither is there for runtimes that functions bring themselves. */
  readonly version: string | undefined;
  readonly path: string | undefined;
  /** What to do about one that is missing. */
  readonly remedy?: string;
  /** Whether `thaw runtimes add` can fetch it. */
  readonly addable: boolean;
}
