import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { CliHost } from "../../src/cli/command.ts";
import { demo } from "../../src/cli/commands/demo/demo.ts";
import { readExamples } from "../../src/cli/commands/demo/examples.ts";
import { createOutput } from "../../src/cli/output.ts";
import { loadClientConfig } from "../../src/config/client.ts";
import { parseRootKey, WELL_KNOWN_ROOT_KEY } from "../../src/core/root-key.ts";
import { loadConfig } from "../../src/config/config.ts";
import { RUNTIME } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { thaw } from "./support.ts";

const home = join(import.meta.dirname, "..", "..");
const examples = await readExamples(join(home, "examples/guide"));

/** Each example's part of what was printed, from its heading to the next one. */
function parts(output: string): Map<string, string> {
  const sections = output.split(/\n\n/);
  return new Map(sections.map((section) => [/^[\w-]+/.exec(section.trim())?.[0] ?? "", section]));
}

it("deploys and invokes every example, tells what is enforced and how to go on, and ends", async () => {
  const { code, stdout, stderr } = await thaw(["demo", "--ephemeral", "--exit", "--port", "0"]);
  expect(stdout).not.toContain("\u001b");
  const shown = parts(stdout);
  for (const { name, fails, language, layers } of examples) {
    const part = shown.get(name) ?? "";
    // Of what a layer is made of, the host may have nothing.
    if (
      part.includes(`skipped, no ${language} was found`) ||
      (layers.length > 0 && /skipped, no \w+ was/.test(part))
    )
      continue;
    expect(part).toMatch(/created, invoked with .+/);
    expect(part).toMatch(fails === undefined ? /^ {2}(?:response|skipped)/m : /^ {2}error/m);
    expect(part).toMatch(/│ REPORT RequestId: /);
  }
  expect(stdout).toMatch(/What is enforced on this host\n[^]*timeout +enforced/);
  const [, port] = /ready at http:\/\/127\.0\.0\.1:(\d+)/.exec(stdout) ?? [];
  // The port is a free one, so that each command must say it.
  expect(stdout).toContain(`eval "$(thaw env --endpoint http://127.0.0.1:${port})"`);
  expect(stdout).toContain(`thaw logs process-order-node --endpoint http://127.0.0.1:${port}\n`);
  expect(stderr).not.toContain("error");
  expect(code).toBe(0);
});

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

it("skips the examples of a language that the host has not, by name, and succeeds", async () => {
  let printed = "";
  let closed = 0;
  const host: CliHost = {
    out: { ...createOutput(false), line: (line = "") => void (printed += `${line}\n`) },
    version: "0.0.0",
    home,
    program: "./thaw",
    loadClientConfig: (flags) => loadClientConfig(flags, {}),
    clientConfigForTools: () => {
      throw new Error("the demonstration sets no variables");
    },
    loadConfig: (flags) => loadConfig(flags, {}),
    isFoundByClients: () => true,
    startPlatform: async () => ({
      url: platform.url,
      startedInMs: 1,
      folder: "/nowhere",
      rootKey: parseRootKey(WELL_KNOWN_ROOT_KEY),
      close: async () => void closed++,
    }),
    doctor: async () => ({ backend: "process", checks: [], runtimes: [] }),
    runtimes: async () => [
      {
        name: RUNTIME,
        state: "available",
        version: process.versions.node,
        path: process.execPath,
        addable: true,
      },
      { name: "python3.13", state: "missing", version: undefined, path: undefined, addable: false },
    ],
    installRuntime: () => Promise.reject(new Error("the demonstration installs nothing")),
    untilInterrupted: () => new Promise(() => {}),
  };
  expect(await demo.run({ arguments: [], rest: [], options: { exit: true } }, host)).toBe(0);
  expect(closed).toBe(1);
  const shown = parts(printed);
  expect(printed).toContain(`eval "$(./thaw env --endpoint ${platform.url})"`);
  for (const { name, language } of examples)
    if (language === "python")
      expect(shown.get(name)).toContain(`${name}: skipped, no python was found (thaw runtimes)`);
    else expect(shown.get(name)).toContain("REPORT RequestId");
});
