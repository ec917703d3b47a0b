// Node.js 18 to 22 in Lambda choose between require and import themselves, by the nearest package.json.
"use strict";

const { existsSync, readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

/** Whether `.js` files in a folder are ES modules: the nearest package.json says, and node_modules ends the search. */
function isModuleFolder(folder) {
  if (folder.endsWith("/node_modules")) return false;
  const file = join(folder, "package.json");
  if (existsSync(file)) {
    try {
      return JSON.parse(readFileSync(file, "utf8"))?.type === "module";
    } catch (error) {
      console.warn(`${file} cannot be read, it will be ignored for ES module detection purposes.`, error);
      return false;
    }
  }
  return folder !== "/" && isModuleFolder(dirname(folder));
}

module.exports = {
  isModuleFolder,
};
