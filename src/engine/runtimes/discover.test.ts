import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ManagedRuntime } from "./catalogue.ts";
import { RuntimeDiscovery } from "./discover.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "discover-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

// Versions that no host has: what is really installed does not matter.
function find(runtime: Omit<ManagedRuntime, "name">, path = "bin"): Promise<unknown> {
  const discovery = new RuntimeDiscovery({ folder, path: join(folder, path) });
  return discovery.find({ name: "test", ...runtime });
}

describe("discovery", () => {
  it("takes a Ruby of exactly the runtime's version", async () => {
    script("bin/ruby", "echo 'ruby 9.13.2p1 (2030-01-01) [x86_64-linux]'");
    expect(await find({ family: "ruby", version: "9.13" })).toEqual({
      path: join(folder, "bin/ruby"),
      version: "9.13.2",
      source: "host",
    });
    expect(await find({ family: "ruby", version: "9.1" })).toBeUndefined();
  });

  it("reads a JDK's version from its description, or asks it", async () => {
    script("jdk/bin/java", "exit 1");
    script("jdk/bin/javac", "");
    writeFileSync(join(folder, "jdk/release"), 'JAVA_RUNTIME="x"\nJAVA_VERSION="99.0.4"\n');
    expect(await find({ family: "java", version: "99" }, "jdk/bin")).toMatchObject({ version: "99.0.4" });
    script("old/bin/java", "echo 'openjdk version \"98.0.1\" 2030-01-01' >&2");
    script("old/bin/javac", "");
    expect(await find({ family: "java", version: "98" }, "old/bin")).toMatchObject({ version: "98.0.1" });
  });

  it("passes over a Java without a compiler", async () => {
    script("jre/bin/java", "echo 'openjdk version \"97.0.1\" 2030-01-01' >&2");
    expect(await find({ family: "java", version: "97" }, "jre/bin")).toBeUndefined();
  });

  it("looks again for what was missing", async () => {
    const discovery = new RuntimeDiscovery({ folder, path: join(folder, "bin") });
    const runtime = { name: "test", family: "ruby", version: "9.14" } as const;
    expect(await discovery.find(runtime)).toBeUndefined();
    script("bin/ruby", "echo 'ruby 9.14.0'");
    expect(await discovery.find(runtime)).toMatchObject({ version: "9.14.0" });
  });
});
