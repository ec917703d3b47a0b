import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it } from "vitest";
import { readRootKey, rootKeyFile, rootKeyText } from "./root-key-file.ts";

const data = mkdtempSync(join(tmpdir(), "thaw-root-key-"));
const file = rootKeyFile(data);
const key = { id: "AKIAQAAAAAAAAAAAAAAA", secret: "/+aA0".repeat(8) };
afterAll(() => rmSync(data, { recursive: true, force: true }));
beforeEach(() => rmSync(file, { recursive: true, force: true }));

const write = (text: string) => writeFileSync(file, text, { mode: 0o600 });

it("is read as it was written", () => {
  expect(readRootKey(file)).toBeUndefined();
  expect(readRootKey(join(data, "nowhere", "root-key"))).toBeUndefined();
  write(rootKeyText(key));
  expect(readRootKey(file)).toEqual(key);
});

it.each([
  ["an empty file", ""],
  ["half of one", rootKeyText(key).slice(0, 30)],
  ["another key's form", rootKeyText({ id: "test", secret: "test" })],
  ["something after it", `${rootKeyText(key)}\n`],
  ["as many other characters", `${"é".repeat(30)}aa`],
])("is refused where it is %s, without a word of it", (_, text) => {
  write(text);
  expect(() => readRootKey(file)).toThrow(
    `the root key ${file} is damaged. Without that file the platform makes another one`,
  );
});

it.each([0o640, 0o604, 0o620, 0o644])("is refused where others may read or write it: mode %i", (mode) => {
  write(rootKeyText(key));
  chmodSync(file, mode);
  expect(() => readRootKey(file)).toThrow(`is open to other users (mode ${mode.toString(8)})`);
});

it.skipIf(process.getuid?.() !== 0)("is refused where it is another user's", () => {
  write(rootKeyText(key));
  chownSync(file, 65_534, 65_534);
  expect(() => readRootKey(file)).toThrow("belongs to another user (65534)");
});

it("is refused where it is no file: nothing waits for a pipe's writer", () => {
  mkdirSync(file);
  expect(() => readRootKey(file)).toThrow("is no file");
  rmSync(file, { recursive: true });
  const elsewhere = join(data, "elsewhere");
  writeFileSync(elsewhere, rootKeyText(key), { mode: 0o600 });
  symlinkSync(elsewhere, file);
  expect(() => readRootKey(file)).toThrow("is a symbolic link");
  rmSync(file);
  execFileSync("mkfifo", ["-m", "600", file]);
  expect(() => readRootKey(file)).toThrow("is no file");
});
