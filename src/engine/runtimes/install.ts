import { spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "#core/errors";
import { managedRuntime } from "./catalogue.ts";
import { installHint, nodePackage } from "./discover.ts";

/**
 * Fetches an interpreter into `folder` with npm, whose registry carries Node.js as `node-<platform>-<arch>` packages.
 * @param onProgress given each line that npm prints
 * @throws OperatorError where the runtime is unknown, cannot be fetched this way, or npm fails
 */
export async function installRuntime(
  name: string,
  folder: string,
  onProgress: (line: string) => void,
): Promise<void> {
  const runtime = managedRuntime(name);
  if (runtime === undefined) throw new OperatorError(`${name} is no runtime that Thaw can run`);
  if (runtime.family !== "nodejs")
    throw new OperatorError(`${name} cannot be fetched: ${installHint(runtime)}`);
  const target = join(folder, `nodejs${runtime.version}`);
  await mkdir(target, { recursive: true });
  // A package of its own, so that npm does not look for one in the folders above.
  await writeFile(join(target, "package.json"), '{"private":true}\n');
  const wanted = `${nodePackage()}@${runtime.version}`;
  onProgress(`npm install ${wanted}`);
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", target, wanted];
  await new Promise<void>((resolve, reject) => {
    const npm = spawn("npm", args, { stdio: ["ignore", "pipe", "pipe"] });
    let tail = "";
    const read = (chunk: Buffer): void => {
      tail = (tail + chunk.toString()).slice(-2000);
      for (const line of chunk.toString().split("\n")) if (line.trim() !== "") onProgress(line);
    };
    npm.stdout.on("data", read);
    npm.stderr.on("data", read);
    npm.once("error", (error) => reject(new OperatorError(`npm cannot be started: ${error.message}`)));
    npm.once("close", (status) => {
      if (status === 0) resolve();
      else reject(new OperatorError(`npm could not install ${wanted}:\n${tail.trim()}`));
    });
  });
}
