// Writes rounds of documents, messages and records until it is killed; prints a round's number once it is acknowledged.
import { writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [dist, folder, first] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(dist, path)));
const [{ openLocalStorage }, { systemClock }, { systemIds }] = await Promise.all(
  ["storage/local/open.js", "core/clock.js", "core/ids.js"].map(load),
);
const storage = await openLocalStorage({ folder, clock: systemClock, ids: systemIds });
const at = (...rest) => ["000000000000", "us-east-1", ...rest];

async function write(n) {
  const body = Buffer.from(String(n).repeat(50));
  const halves = ["left", "right"].map((side) => ({ key: at(side, n), value: n }));
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
