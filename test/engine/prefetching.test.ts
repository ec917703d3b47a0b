// Events given ahead of their turn (guest/PROTOCOL.md, "Prefetched events"), from the engine to real guests.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FunctionSpec } from "#engine/contract";
import { openBench } from "./support.ts";
import type { Answer, Bench } from "./support.ts";

/** Both keep a line for each event that they begin, and answer it; one that is to wait does so until a file is there. */
const NODE = `
const { appendFileSync, existsSync } = require("fs");
exports.handler = async ({ name, begun, wait }) => {
  if (begun !== undefined) appendFileSync(begun, name + "\\n");
  while (wait !== undefined && !existsSync(wait)) await new Promise((resolve) => setTimeout(resolve, 5));
  return name;
};
`;
const PYTHON = `
import os, time
def handler(event, context):
    if "begun" in event:
        with open(event["begun"], "a") as file: file.write(event["name"] + "\\n")
    while "wait" in event and not os.path.exists(event["wait"]): time.sleep(0.005)
    return event["name"]
`;

/** As long as no event of a function takes long: so many must have ended since one did. */
const CALM_EVENTS = 1000;
const CALLERS = 16;
const BURST = 24;

let bench: Bench;
let pythons: string[];
beforeAll(async () => {
  bench = await openBench();
  const runtimes = await bench.engine.runtimes();
  pythons = runtimes
    .filter(({ runtime, interpreter }) => runtime.family === "python" && interpreter !== undefined)
    .map(({ runtime }) => runtime.name);
});
afterAll(() => bench.close());

// The log's tail would keep an event from being given ahead.
const invoke = (spec: FunctionSpec, event: object): Promise<Answer> =>
  bench.invoke(spec, event, { tail: false });

/** Calls it until it counts as one whose events are short, if they are on this host. */
async function settle(spec: FunctionSpec): Promise<void> {
  let left = CALM_EVENTS + 100;
  const caller = async (): Promise<void> => {
    while (left-- > 0) expect((await invoke(spec, { name: "short" })).payload).toBe("short");
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

/** How many of the events given ahead environments were told not to begin, in all. */
function recalled(): number {
  const files = readdirSync(bench.folder, { recursive: true, encoding: "utf8" });
  const sizes = files
    .filter((file) => file.endsWith("/recalls"))
    .map((file) => statSync(join(bench.folder, file)).size);
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Sends a burst behind an event that does not end before all of it is answered. */
async function burst(spec: FunctionSpec, round: string): Promise<void> {
  const begun = join(bench.folder, `begun-${round}`);
  const wait = join(bench.folder, `go-${round}`);
  const names = Array.from({ length: BURST }, (_, at) => `${round}-${at}`);
  const long = invoke(spec, { name: "long", begun, wait });
  const answers = await Promise.all(names.map((name) => invoke(spec, { name, begun })));
  expect(answers.map(({ payload }) => payload)).toEqual(names);
  writeFileSync(wait, "");
  expect((await long).payload).toBe("long");
  // Behind all that the environment of the long one still holds.
  expect((await invoke(spec, { name: "last", begun })).payload).toBe("last");
  const lines = readFileSync(begun, "utf8").trim().split("\n");
  expect(lines.toSorted()).toEqual([...names, "long", "last"].toSorted());
}

describe.each(["nodejs", "python"])("a short function in %s", (family) => {
  it("has every event run once, and none waits for one that turns out long", async ({ skip }) => {
    const python = pythons.at(-1);
    skip(family === "python" && python === undefined, "no Python is on this host");
    const spec =
      family === "python"
        ? await bench.spec({ "index.py": PYTHON }, { runtime: python ?? "", timeoutMs: 60_000 })
        : await bench.spec({ "index.js": NODE }, { timeoutMs: 60_000 });
    const before = recalled();
    for (let round = 0; round < 5 && recalled() === before; round++) {
      await settle(spec);
      await burst(spec, `${family}${round}`);
    }
    skip(recalled() === before, "this host is so busy that no event is short");
  }, 60_000);
});
