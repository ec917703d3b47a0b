import { execFile } from "node:child_process";
import { readdir, readFile, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { Finder } from "./finder.ts";
import { executablesOn, isExecutable } from "./finder.ts";

/** Where systems and version managers put JDKs: one folder each, macOS's with the JDK inside a bundle. */
const HOMES: readonly { readonly folder: string; readonly inside: string }[] = [
  { folder: "/usr/lib/jvm", inside: "" },
  { folder: "/opt/java", inside: "" },
  { folder: join(homedir(), ".sdkman", "candidates", "java"), inside: "" },
  { folder: join(homedir(), ".jdks"), inside: "" },
  { folder: "/Library/Java/JavaVirtualMachines", inside: "Contents/Home" },
];

export const findJava: Finder = {
  async candidates(_version, path) {
    const homes = await Promise.all(
      HOMES.map(async ({ folder, inside }) => {
        const names = await readdir(folder).catch((): string[] => []);
        return names.sort().map((name) => join(folder, name, inside, "bin", "java"));
      }),
    );
    const found = [...executablesOn(path, ["java"]), ...homes.flat()];
    // The guest is compiled by the JDK that runs it.
    const compiles = await Promise.all(found.map(hasCompiler));
    return found.filter((_, index) => compiles[index]);
  },
  version: async (path) => {
    const told = (await released(path)) ?? (await answered(path));
    // Java 8 calls itself 1.8.0_402.
    return told?.replace(/^1\.8\.0_?/, "8.0.");
  },
};

async function hasCompiler(path: string): Promise<boolean> {
  const real = await realpath(path).catch(() => undefined);
  return real !== undefined && isExecutable(join(dirname(real), "javac"));
}

/** What the JDK's own description says: a JVM need not be started for it. */
async function released(path: string): Promise<string | undefined> {
  const real = await realpath(path).catch(() => path);
  const text = await readFile(join(dirname(dirname(real)), "release"), "utf8").catch(() => "");
  return /^JAVA_VERSION="([\d._]+)"/m.exec(text)?.[1];
}

function answered(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, ["-version"], { timeout: 10_000, env: {} }, (error, _stdout, stderr) => {
      resolve(error === null ? /version "([\d._]+)/.exec(stderr)?.[1] : undefined);
    });
  });
}
