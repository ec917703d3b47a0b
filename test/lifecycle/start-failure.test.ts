import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/config.ts";
import { systemClock as clock } from "../../src/core/clock.ts";
import { systemIds as ids } from "../../src/core/ids.ts";
import { startPlatform } from "../../src/platform/start.ts";
import type { StreamName } from "../../src/storage/journal.ts";
import { openLocalStorage } from "../../src/storage/local/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { ensureBuilt } from "../support/built.ts";
import { run } from "../support/tools.ts";
import { guestsIn, temporaryFolder } from "./support.ts";

const folder = temporaryFolder();
const home = join(import.meta.dirname, "..", "..");

/** A record that ends within its first number. */
const BROKEN = Uint8Array.of(0x80);

/** Logs that a part takes up as it starts: before the platform listens, and after. */
const PARTS = [
  ["usage", ["platform", "global", "usage"]],
  ["metrics", ["000000000000", "us-east-1", "metrics"]],
] as const;

async function withStorage<T>(data: string, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openLocalStorage({ folder: data, clock, ids });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

/** A data folder of which one part cannot start. */
async function damaged(name: string, stream: StreamName): Promise<string> {
  const data = join(folder, name);
  await withStorage(data, async ({ documents, journal }) => {
    await documents.commit([
      { key: ["platform", "global", "cloudwatch-scope", "000000000000", "us-east-1"], value: true },
    ]);
    await journal.append([{ stream, records: [{ time: clock.now(), body: BROKEN }] }]);
  });
  return data;
}

/** Servers that listen, and what is told of stray errors. */
function held() {
  return {
    servers: process.getActiveResourcesInfo().filter((kind) => kind === "TCPServerWrap").length,
    strays: ["uncaughtException", "unhandledRejection"].map((event) => process.listenerCount(event)),
  };
}

describe.each(PARTS)("a start that fails as the %s cannot be taken up", (name, stream) => {
  it("closes all that it opened, keeps what is stored, and tells why", async () => {
    const data = await damaged(`within-${name}`, stream);
    const config = loadConfig({ data, port: 0, sandbox: "process", logLevel: "warn" }, {});
    const before = held();
    await expect(startPlatform(config, { home, version: "0.0.0" })).rejects.toThrow("end too early");
    expect(held()).toEqual(before);
    expect(guestsIn(data)).toEqual([]);
    // The folder can be opened: nothing holds its lock any more.
    const records = await withStorage(data, ({ journal }) => journal.read(stream));
    expect(records.map(({ body }) => [...body])).toEqual([[...BROKEN]]);
  });

  it("ends the program", async () => {
    const data = await damaged(`program-${name}`, stream);
    const dist = await ensureBuilt();
    const { code, stderr } = await run(process.execPath, [
      join(dist, "main.js"),
      "up",
      "--data",
      data,
      "--port",
      "0",
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^thaw: RangeError: packed points end too early\n/m);
    expect(stderr).not.toMatch(/ (?:error|fatal) /);
    expect(guestsIn(data)).toEqual([]);
    expect(readdirSync(join(data, "lock"))).toEqual([]);
  });
});
