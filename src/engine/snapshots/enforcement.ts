import { execFile } from "node:child_process";
import { executablesOn, isExecutable } from "../runtimes/finder.ts";
import type { Enforcement } from "../sandbox/contract.ts";

/** CRIU asks the kernel for all that it needs; on a busy host that takes a second. */
const CHECK_MS = 10_000;

/**
 * What SnapStart is on this host, for doctor.
 * @param path directories, as PATH writes them
 */
export async function snapStartEnforcement(path: string): Promise<Enforcement> {
  return {
    limit: "SnapStart: one snapshot for all",
    level: "not enforced",
    how: `Python and Java: environments are initialised from when a version is published, kept frozen, and restored; each by an init of its own: ${await checkpoints(path)}`,
    remedy: "test on AWS what must be unique to an environment: here nothing is copied from one to another",
  };
}

/** Why processes are not checkpointed. */
async function checkpoints(path: string): Promise<string> {
  const criu = await findCriu(path);
  if (criu === undefined) return "there is no CRIU on this host";
  const fault = await faultOf(criu);
  return fault === undefined
    ? "CRIU works here, but is not made use of yet"
    : `CRIU does not work on this kernel (${fault})`;
}

async function findCriu(path: string): Promise<string | undefined> {
  for (const file of executablesOn(`${path}:/usr/local/sbin:/usr/sbin`, ["criu"]))
    // oxlint-disable-next-line no-await-in-loop
    if (await isExecutable(file)) return file;
  return undefined;
}

/** The first thing that `criu check` says is wrong; undefined where all is well. */
function faultOf(criu: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(criu, ["check"], { timeout: CHECK_MS, env: {} }, (error, stdout, stderr) => {
      if (error === null) return resolve(undefined);
      const lines = `${stdout}\n${stderr}`
        .split("\n")
        .flatMap((line) => /^Error \([^)]*\): (.*)$/.exec(line)?.[1] ?? []);
      // Its helper processes end first, of which nothing is learnt.
      const telling = lines.find((line) => !line.startsWith("exited,"));
      resolve(telling ?? "criu check fails");
    });
  });
}
