// Tells from a module's text whether it may import anything but Node's own modules.
"use strict";

const { builtinModules } = require("node:module");

/** `import.meta` is no import. */
const IMPORT = /\bimport\b(?!\s*\.\s*meta\b)/g;
/** `import x, { y as z } from "…"`, `import "…"` and `import("…")`. */
const PLAIN = /import[\w$\s{},*(]*(["'])([^"'\\]*)\1/y;
const PASSED_ON = /\bexport\s*(?:[*/]|\{[^}]*\}\s*(?:from\b|\/))/;

/** What `module` gives loads modules by itself: `createRequire`. */
function harmless(specifier) {
  const name = specifier.replace(/^node:/, "");
  return name !== "module" && builtinModules.includes(name);
}

/**
 * Never false for a module that does; true for many a text that only looks so, such as one with the word in a comment.
 * @param {string} text
 */
function mayImportOthers(text) {
  for (const { index } of text.matchAll(IMPORT)) {
    PLAIN.lastIndex = index;
    const specifier = PLAIN.exec(text)?.[2];
    if (specifier === undefined || !harmless(specifier)) return true;
  }
  return PASSED_ON.test(text);
}

module.exports = {
  mayImportOthers,
};
