import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Run } from "./contract.ts";

const execute = promisify(execFile);

/** mke2fs and losetup are in folders that an ordinary user's PATH may lack. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** Runs commands as this process, in its own mount namespace. */
export const runHere: Run = async ([command = "", ...args]) => {
  const { stdout } = await execute(command, args, { env: ENVIRONMENT });
  return stdout;
};
