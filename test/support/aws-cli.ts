import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { awsVariables, type Finished, run } from "./tools.ts";

/** The major versions of the AWS CLI that are in use: their protocols, defaults and options differ. */
export const AWS_CLI_VERSIONS = [1, 2] as const;
export type AwsCliVersion = (typeof AWS_CLI_VERSIONS)[number];

/** The first `aws` on PATH that is of each major version. */
const installed = findClis();

function findClis(): ReadonlyMap<AwsCliVersion, string> {
  const found = new Map<AwsCliVersion, string>();
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, "aws");
    if (folder === "" || !existsSync(file)) continue;
    const version = AWS_CLI_VERSIONS.find((major) => told(file).startsWith(`aws-cli/${major}.`));
    if (version !== undefined && !found.has(version)) found.set(version, file);
  }
  return found;
}

function told(file: string): string {
  try {
    return execFileSync(file, ["--version"], { stdio: ["ignore", "pipe", "ignore"] }).toString();
  } catch {
    return "";
  }
}

export const hasAwsCli = (version: AwsCliVersion): boolean => installed.has(version);

/** The AWS CLI of one major version, in a folder, with the root keys of a platform. */
export class AwsCli {
  readonly #file: string;
  readonly #url: string;
  readonly #folder: string;

  /** @throws Error where no CLI of that version is there */
  constructor(version: AwsCliVersion, url: string, folder: string) {
    const file = installed.get(version);
    if (file === undefined) throw new Error(`no version ${version} of the AWS CLI is on PATH`);
    this.#file = file;
    this.#url = url;
    this.#folder = folder;
  }

  /** Runs a command to its end, whatever that is; `input` is its standard input. */
  run(args: readonly string[], input?: string): Promise<Finished> {
    // AWS_ENDPOINT_URL is read by versions from 1.29 and 2.13 on.
    const endpoint = ["--endpoint-url", this.#url];
    const files = {
      AWS_CONFIG_FILE: join(this.#folder, ".config"),
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
    const env = { ...awsVariables(this.#url), ...files, AWS_PAGER: "" };
    return run(this.#file, [...args, ...endpoint], {
      env,
      cwd: this.#folder,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** What a command prints; rejects where it fails or complains. */
  async text(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0 || stderr !== "") throw new Error(`aws ${args.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** A command's JSON; an empty object where it prints nothing. */
  async json(...args: string[]): Promise<Record<string, unknown>> {
    const printed = await this.text(...args, "--output", "json");
    return (printed === "" ? {} : JSON.parse(printed)) as Record<string, unknown>;
  }
}
