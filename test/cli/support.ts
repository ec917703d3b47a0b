import { join } from "node:path";
import { ensureBuilt } from "../support/built.ts";
import { type Finished, run } from "../support/tools.ts";

/** Runs `thaw` to its end; its standard streams are no terminal. */
export async function thaw(
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; cwd?: string; input?: string } = {},
): Promise<Finished> {
  const dist = await ensureBuilt();
  return run(process.execPath, [join(dist, "main.js"), ...args], options);
}
