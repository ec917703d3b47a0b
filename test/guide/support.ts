import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InvokeCommand, LambdaClient, waitUntilFunctionUpdatedV2 } from "@aws-sdk/client-lambda";
import { deploy } from "../../src/cli/commands/demo/deploy.ts";
import { readExamples } from "../../src/cli/commands/demo/examples.ts";
import { clientFor } from "../support/platform.ts";
import { awsVariables, type Finished, run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

/** The account that the guide's ARNs are of. An access key id of 12 digits is the root of that account. */
export const ACCOUNT = "123456789012";
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/thaw-basic-execution`;

export const FOLDER = join(import.meta.dirname, "..", "..", "examples", "guide");
export const examples = await readExamples(FOLDER);

export const NODE_RUNTIME = `nodejs${process.versions.node.split(".")[0]}.x`;

/** `python3.11`, of the host's own Python; undefined where that lacks the boto3 that functions are to find. */
export const PYTHON_RUNTIME = pythonRuntime();

function pythonRuntime(): string | undefined {
  if (!works("python3", "-c", "import boto3")) return undefined;
  const print = "import sys; print(f'python3.{sys.version_info.minor}', end='')";
  return execFileSync("python3", ["-c", print]).toString();
}

/** For `it.skipIf`: what is skipped says it in its name. */
export const noCli = !works("aws", "--version");
export const noPython = PYTHON_RUNTIME === undefined;

/** The path of one of the settings that the guide gives as JSON. */
export const settingsFile = (name: string): string => join(FOLDER, "settings", `${name}.json`);

export async function readSettings(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(settingsFile(name), "utf8")) as Record<string, unknown>;
}

export interface Answer {
  /** `Unhandled` where the function failed. */
  readonly error: string | undefined;
  readonly body: unknown;
  /** The end of the invocation's log. */
  readonly log: string;
}

export interface DeployOptions {
  /** The function's name, unless the example's own. */
  readonly as?: string;
  /** Instead of the example's own code. */
  readonly source?: string;
  readonly layers?: readonly string[];
  readonly runtime?: string;
  readonly role?: string;
}

/** The reader of the guide: everything the chapters do to one platform, in the guide's account. */
export class Reader {
  readonly settings: ReturnType<typeof clientFor>;
  readonly lambda: LambdaClient;

  constructor(url: string) {
    this.settings = {
      ...clientFor(url),
      credentials: { accessKeyId: ACCOUNT, secretAccessKey: "test" },
    };
    this.lambda = new LambdaClient(this.settings);
  }

  /** Runs a program with the variables that point AWS tools at the platform. */
  run(file: string, args: readonly string[], cwd = FOLDER): Promise<Finished> {
    const env = {
      ...awsVariables(this.settings.endpoint),
      AWS_ACCESS_KEY_ID: ACCOUNT,
      AWS_PAGER: "",
      AWS_DEFAULT_OUTPUT: "json",
    };
    return run(file, args, { env, cwd });
  }

  /** Runs the AWS CLI, in the folder of the guide's examples. */
  aws(...args: string[]): Promise<Finished> {
    // Version 2 reads AWS_ENDPOINT_URL only from 2.13 on.
    return this.run("aws", [...args, "--endpoint-url", this.settings.endpoint]);
  }

  /** Source of an example, as it is in its folder. */
  source(folder: string, file = "app.py"): Promise<string> {
    return readFile(join(FOLDER, folder, file), "utf8");
  }

  /** Deploys an example as `thaw demo` does. */
  async deploy(folder: string, options: DeployOptions = {}): Promise<void> {
    const example = examples.find((each) => each.folder === join(FOLDER, folder));
    if (example === undefined) throw new Error(`no example ${folder}`);
    const python = example.language === "python";
    const file = python ? "app.py" : "index.mjs";
    const { as: name = example.name, source = await this.source(folder, file), role = ROLE } = options;
    await deploy(
      this.lambda,
      { ...example, name },
      {
        runtime: options.runtime ?? (python ? (PYTHON_RUNTIME ?? "") : NODE_RUNTIME),
        role,
        code: await zipOf({ [file]: source }),
        ...(options.layers === undefined ? {} : { layers: options.layers }),
      },
    );
  }

  async invoke(FunctionName: string, event: unknown = {}): Promise<Answer> {
    const Payload = Buffer.from(JSON.stringify(event));
    const response = await this.lambda.send(new InvokeCommand({ FunctionName, Payload, LogType: "Tail" }));
    return {
      error: response.FunctionError,
      body: JSON.parse(Buffer.from(response.Payload ?? []).toString("utf8")) as unknown,
      log: Buffer.from(response.LogResult ?? "", "base64").toString("utf8"),
    };
  }

  /** Waits until a change of the function's settings has been made. */
  async updated(FunctionName: string): Promise<void> {
    const waiter = { client: this.lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
    await waitUntilFunctionUpdatedV2(waiter, { FunctionName });
  }
}
