// Which ES modules need the hooks thread of older Nodes: one that is missed cannot find its layers' packages.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { array, assert, constantFrom, property } from "fast-check";
import { describe, expect, it } from "vitest";

const url = pathToFileURL(resolve(import.meta.dirname, "../../guest/nodejs/imports.cjs")).href;
const { mayImportOthers } = (await import(url)) as { readonly mayImportOthers: (text: string) => boolean };

describe("mayImportOthers", () => {
  it.each([
    "export const handler = async () => 1;",
    "import { readFileSync as read } from \"node:fs\";\nimport path from 'path';\nexport const handler = read;",
    'import * as crypto from "crypto"; const { x } = await import("node:fs/promises");',
    "const here = import.meta.url; const copy = Buffer.from(here); export { copy as handler };",
  ])("is false for %j", (text) => expect(mayImportOthers(text)).toBe(false));

  it.each([
    'import greeting from "greeting";',
    'import "./other.mjs";',
    'import{a}from"greeting"',
    'import a /* why */ from "greeting";',
    'import/**/"greeting";',
    'import { a, // why\n b } from "greeting";',
    'export { a } from "greeting";',
    'export { a } /* why */ from "greeting";',
    'export * from "greeting";',
    'export * as all from "greeting";',
    "const name = 'greeting'; await import(name);",
    "await import(`greeting`);",
    'import { createRequire } from "node:module";',
    'import "\\u0067reeting";',
  ])("is true for %j", (text) => expect(mayImportOthers(text)).toBe(true));

  it("misses no import behind others", () => {
    const own = constantFrom('import fs from "fs";', "const a = import.meta.url;", "// import", "f();", "\n");
    const other = constantFrom(
      'import x from "greeting";',
      'await import("greeting");',
      'export * from "g";',
    );
    assert(
      property(array(own), other, array(own), (before, found, after) =>
        mayImportOthers([...before, found, ...after].join("\n")),
      ),
    );
  });
});
