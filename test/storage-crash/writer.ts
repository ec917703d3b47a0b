// Writes rounds of documents, messages and records until it is killed; prints a round's number once it is acknowledged.
import { writeSync } from "node:fs";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { openLocalStorage } from "#storage/local/open";

const [folder = "", first] = process.argv.slice(2);
const storage = await openLocalStorage({ folder, clock: systemClock, ids: systemIds });
const place = ["000000000000", "us-east-1"] as const;
const at = (...rest: [string, ...string[]]) => [...place, ...rest] as const;

async function write(n: number): Promise<void> {
  const body = Buffer.from(String(n).repeat(50));
  const halves = ["left", "right"].map((side) => ({ key: [...place, side, n] as const, value: n }));
  await Promise.all([
    storage.documents.commit(halves, [{ queue: at("queue"), body: Buffer.from(String(n)) }]),
    storage.journal.append(
      ["a", "b"].map((name) => ({ stream: at("logs", name), records: [{ time: n, body }] })),
    ),
  ]);
  writeSync(1, `${n}\n`);
}

// Four at a time, so that groups are killed half way too.
for (let n = Number(first); ; n += 4) await Promise.all([0, 1, 2, 3].map((more) => write(n + more)));
