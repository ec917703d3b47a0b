import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { executablesOn, toldVersion } from "./finder.ts";
import type { Finder } from "./finder.ts";

/** Folders of version managers (rbenv, chruby, rvm), each with one folder a version. */
const MANAGERS = [
  join(homedir(), ".rbenv", "versions"),
  join(homedir(), ".rubies"),
  "/opt/rubies",
  join(homedir(), ".rvm", "rubies"),
];

export const findRuby: Finder = {
  async candidates(version, path) {
    const managed = await Promise.all(
      MANAGERS.map(async (folder) => {
        const names = await readdir(folder).catch((): string[] => []);
        return names
          .filter((name) => name.replace(/^ruby-/, "").startsWith(`${version}.`))
          .sort()
          .map((name) => join(folder, name, "bin", "ruby"));
      }),
    );
    return [...managed.flat(), ...executablesOn(path, [`ruby${version}`, "ruby"])];
  },
  version: toldVersion,
};
