// Bundles the programs of src, and what they import, into few files of one flat folder: `node tools/bundle.mjs FOLDER
// [PROGRAM.ts…]`, where further programs may be named. To find, open and compile every module by itself takes longer than
// all else that a start does.
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
const source = join(root, "src");

/** Stays a package of its own: only the bench loads it, and it starts its own files. */
const external = ["autocannon"];

/** Stays one as well, for its compiled code: as CommonJS it is one file, as modules a dozen. */
const lmdb = {
  name: "lmdb",
  resolveId: { filter: { id: /^lmdb$/ }, handler: (id) => `\0${id}` },
  load: {
    filter: { id: /^\0lmdb$/ },
    handler: () => `import { createRequire } from "node:module";
      export const { open } = createRequire(import.meta.url)("lmdb");`,
  },
};

/** `main.ts`, and each `name.ts` that a module beside it starts as `new URL("./name.js", import.meta.url)`. */
function programs() {
  const found = [join(source, "main.ts")];
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts") || entry.name.endsWith(".test.ts")) continue;
    const folder = entry.parentPath;
    for (const [, name] of readFileSync(join(folder, entry.name), "utf8").matchAll(
      /new URL\("\.\/([\w-]+)\.js", import\.meta\.url\)/g,
    ))
      found.push(join(folder, `${name}.ts`));
  }
  return found;
}

/** By the names of their files: all lie in one folder, so that those which belong beside each other do, whatever chunk they are in. */
function named(files) {
  const byName = new Map();
  for (const file of files) {
    const name = basename(file, ".ts");
    if (byName.has(name)) throw new Error(`two programs are called ${name}: ${file} and ${byName.get(name)}`);
    byName.set(name, file);
  }
  return Object.fromEntries(byName);
}

const [folder, ...more] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node tools/bundle.mjs FOLDER [PROGRAM.ts…]");
const bundle = await rolldown({
  cwd: root,
  platform: "node",
  input: named(new Set([...programs(), ...more.map((file) => resolve(file))])),
  external,
  plugins: [lmdb],
});
await bundle.write({
  dir: resolve(folder),
  format: "esm",
  entryFileNames: "[name].js",
  // Of a form that no program's name has.
  chunkFileNames: "[name].chunk.js",
  sourcemap: true,
  comments: false,
  // One character beyond Latin-1 would double what the engine keeps of a file's text.
  charset: "ascii",
});
await bundle.close();
