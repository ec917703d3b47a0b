// Compiles src to dist and generates what is generated: the service tables of src/wire/schema.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
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

if (existsSync(join(root, "tools/schemas/generate.mjs"))) run("tools/schemas/generate.mjs", []);
if (!schemasOnly) {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run("node_modules/typescript/bin/tsc", ["-p", "tsconfig.build.json"]);
  const tables = join(root, "src/wire/schema/tables");
  if (existsSync(tables)) {
    mkdirSync(join(root, "dist/wire/schema"), { recursive: true });
    cpSync(tables, join(root, "dist/wire/schema/tables"), { recursive: true });
  }
  writeFileSync(join(root, "dist/.built"), `${new Date().toISOString()}\n`);
}
