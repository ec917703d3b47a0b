import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./tools.ts";

const root = resolve(fileURLToPath(new URL("../..", import.meta.url)));

/**
 * Bundles a program of a test's, as Thaw's own are, into `folder`, and returns its path. A build on the side does not take
 * it away half way through.
 */
export async function bundled(program: string, folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { code, stderr } = await run(process.execPath, [join(root, "tools/bundle.mjs"), folder, program]);
  if (code !== 0) throw new Error(`${program} cannot be bundled:\n${stderr}`);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return join(folder, `${basename(program, ".ts")}.js`);
}
