import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, expect, test } from "vitest";

import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { openLocalStorage } from "#storage/local/open";

import { bundled } from "../support/bundled.ts";

/** `./thaw test --soak` sets THAW_SOAK; its figures stand in docs/durability.md. */
const soak = process.env["THAW_SOAK"] === "1";
const ROUNDS = soak ? 1000 : 200;
const at = (...rest: string[]) => ["000000000000", "us-east-1", ...rest] as [string, string, string];
let folder: string;
let program: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-crash-"));
  program = await mkdtemp(join(tmpdir(), "thaw-program-"));
});
afterEach(async () => {
  for (const made of [folder, program]) await rm(made, { recursive: true, force: true });
});

test(`a writer killed ${ROUNDS} times loses nothing that it acknowledged and shows no half of a commit`, async () => {
  const writer = await bundled(fileURLToPath(new URL("writer.ts", import.meta.url)), program);
  let next = 1;
  let acknowledgedInAll = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const acknowledged = await writeUntilKilled(writer, next);
    acknowledgedInAll += acknowledged.length;
    next = await check(acknowledged, next);
  }
  expect(acknowledgedInAll).toBeGreaterThan(ROUNDS);
  if (soak) await writeFile(report, durability(acknowledgedInAll) + (await atScale()));
}, 900_000);

const report = fileURLToPath(new URL("../../docs/durability.md", import.meta.url));

/** What other runs have written below. */
async function atScale(): Promise<string> {
  const text = await readFile(report, "utf8");
  const at = text.indexOf("\n## ");
  return at === -1 ? "" : text.slice(at);
}

function durability(acknowledged: number): string {
  return [
    "# Durability",
    "",
    "Written by `./thaw test --soak`; do not edit.",
    "",
    "A write is answered once it is on disk. `test/storage-crash/` starts a writer that changes documents, appends to a queue in the",
    "same commit and to two journal streams in one append, kills it with SIGKILL at a random moment, opens the data folder and looks:",
    "every acknowledged write must be there, and no commit or append may be there by half.",
    "",
    "| what | figure |",
    "|---|---|",
    `| writers killed | ${ROUNDS} |`,
    `| writes acknowledged before the kills | ${acknowledged} |`,
    "| acknowledged writes lost | 0 |",
    "| commits or appends found by half | 0 |",
    "",
    "SIGKILL ends the process, not the machine: loss of power is not part of this test.",
    "",
  ].join("\n");
}

/** Starts a writer, kills it up to 40 ms after its first acknowledgement, and returns what it acknowledged. */
async function writeUntilKilled(writer: string, first: number): Promise<number[]> {
  const child = spawn(process.execPath, [writer, folder, String(first)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, errors] = ["", ""];
  child.stdout.on("data", (chunk) => (output += String(chunk)));
  child.stderr.on("data", (chunk) => (errors += String(chunk)));
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await sleep(Math.random() * 40);
  child.kill("SIGKILL");
  await closed;
  expect(errors).toBe("");
  return output.split("\n").slice(0, -1).map(Number);
}

/** Checks what this round wrote; returns a number beyond all that were written. */
async function check(acknowledged: readonly number[], first: number): Promise<number> {
  const storage = await openLocalStorage({ folder, clock: new ManualClock(Date.now()), ids: systemIds });
  try {
    const numbers = (side: string) =>
      Array.from(
        storage.documents.list<number>(["000000000000", "us-east-1", side]),
        ({ value }) => value,
      ).filter((n) => n >= first);
    const left = numbers("left");
    expect(numbers("right")).toEqual(left);
    const queued = await storage.queue.receive(at("queue"), 100_000, 60_000);
    expect(queued.map(({ body }) => Number(String(body))).toSorted((a, b) => a - b)).toEqual(left);
    const [a = [], b = []] = await Promise.all(
      ["a", "b"].map(async (name) => {
        const records = await storage.journal.read(at("logs", name), { from: first });
        for (const { time, body } of records) expect(String(body)).toBe(String(time).repeat(50));
        return records.map(({ time }) => time);
      }),
    );
    expect(b).toEqual(a);
    for (const n of acknowledged) {
      expect(left).toContain(n);
      expect(a).toContain(n);
    }
    await Promise.all(queued.map(({ id, lease }) => storage.queue.ack(at("queue"), id, lease)));
    return Math.max(first - 1, ...left, ...a, ...acknowledged) + 1;
  } finally {
    await storage.close();
  }
}
