// Module resolution behind the function's own node_modules: layers first, then the runtime's SDK, as NODE_PATH does in AWS.
"use strict";

const { existsSync, readFileSync, statSync } = require("node:fs");
const Module = require("node:module");
const { dirname, join } = require("node:path");
const { pathToFileURL } = require("node:url");

const { mayImportOthers } = require("./imports.cjs");
const { isModuleFolder } = require("./package-type.cjs");

function searchFolders(init) {
  const major = process.versions.node.split(".")[0];
  const folders = (init.environment.NODE_PATH ?? "").split(":");
  for (const layer of init.layerPaths ?? [])
    folders.push(join(layer, `nodejs/node${major}/node_modules`), join(layer, "nodejs/node_modules"));
  if (init.runtimePath !== undefined) folders.push(join(init.runtimePath, "node_modules"));
  return [...new Set(folders)].filter((folder) => folder !== "" && existsSync(folder));
}

/** Node reads NODE_PATH once, at start; it is lent the new value for one more reading, and HOME, which it also searches, is hidden. */
function setCommonJsPaths(folders) {
  const saved = { NODE_PATH: process.env.NODE_PATH, HOME: process.env.HOME };
  delete process.env.HOME;
  process.env.NODE_PATH = folders.join(":");
  Module._initPaths();
  for (const [name, value] of Object.entries(saved))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
}

/**
 * Lets `require` and `import` find packages in layers and in the runtime. ES modules ignore NODE_PATH in plain Node;
 * Lambda's build honours it. Nodes without synchronous hooks need a hooks thread (some 20 ms), so there it is only
 * started where the function has ES modules.
 */
async function extendResolution(init) {
  const folders = searchFolders(init);
  setCommonJsPaths([...folders, init.taskRoot]);
  if (folders.length === 0) return;
  if (typeof Module.registerHooks === "function") {
    const { resolveSync } = await import("./resolution-hooks.mjs");
    Module.registerHooks({ resolve: resolveSync(folders) });
  } else if (mayImport(init)) {
    Module.register("./resolution-hooks.mjs", pathToFileURL(__filename), { data: folders });
  }
}

/**
 * Whether the function may import ES modules other than its handler's file: that file is one that imports more than
 * Node's own, or a CommonJS file with an `import()`. Most functions for older Nodes do neither, whatever their
 * package.json holds.
 */
function mayImport(init) {
  const name = init.handler.slice(0, init.handler.indexOf(".", init.handler.lastIndexOf("/") + 1));
  const file = join(init.taskRoot, name);
  for (const path of [file, `${file}.js`, `${file}.mjs`, `${file}.cjs`])
    if (existsSync(path) && !statSync(path).isDirectory()) {
      const text = readFileSync(path, "utf8");
      const esm = path.endsWith(".mjs") || (!path.endsWith(".cjs") && isModuleFolder(dirname(path)));
      return esm ? mayImportOthers(text) : text.includes("import(");
    }
  // A package of node_modules or a layer: nothing is known of it.
  return true;
}

module.exports = {
  extendResolution,
  mayImport,
};
