import { execFile, execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end with exactly the given variables beside PATH and HOME, and `input` as its standard input. Never rejects for an exit code. */
export function run(
  file: string,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; input?: string } = {},
): Promise<Finished> {
  const { PATH = "", HOME = "" } = process.env;
  return new Promise((resolve, reject) => {
    const child = execFile(
      file,
      [...args],
      { env: { PATH, HOME, ...options.env }, cwd: options.cwd, maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== "number") reject(error);
        else resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
    child.stdin?.end(options.input);
  });
}

/** Whether a program can be started and answers success. */
export function works(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A folder that holds Terraform's AWS provider as a file system mirror; undefined where there is none. */
export function terraformMirror(): string | undefined {
  const provider = "registry.terraform.io/hashicorp/aws";
  const { THAW_TEST_TERRAFORM_MIRROR: told, HOME = "" } = process.env;
  const candidates = [
    ...(told === undefined ? [] : [told]),
    join(HOME, ".terraform.d/plugins"),
    "/usr/local/share/terraform/plugins",
    ...(existsSync("/opt") ? readdirSync("/opt").map((name) => join("/opt", name)) : []),
  ];
  return candidates.find((folder) => existsSync(join(folder, provider)));
}

/** The variables that point any AWS tool at a platform. */
export function awsVariables(url: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
  };
}
