// Bundles src into dist and generates what is generated: the service tables of src/wire/schema.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
const schemasOnly = process.argv.includes("--schemas-only");

function run(file, args) {
  const { status } = spawnSync(process.execPath, [join(root, file), ...args], {
    cwd: root,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

run("tools/schemas/generate.mjs", []);
if (!schemasOnly) {
  // Built beside and swapped in at the end: a platform that runs from dist starts its workers late.
  const [dist, next, old] = ["dist", "dist.next", "dist.old"].map((name) => join(root, name));
  for (const stale of [next, old]) rmSync(stale, { recursive: true, force: true });
  run("tools/bundle.mjs", [next]);
  cpSync(join(root, "src/wire/schema/tables"), join(next, "tables"), { recursive: true });
  writeFileSync(join(next, ".built"), `${new Date().toISOString()}\n`);
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(next, dist);
  rmSync(old, { recursive: true, force: true });
}
