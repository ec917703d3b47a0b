// What comes and goes leaves nothing: rounds of create, invoke, delete through AWS's own API.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { instanceTag } from "#engine/sandbox/bubblewrap/backend";
import { tagOf } from "#engine/sandbox/network/addresses";
import { until } from "../lifecycle/support.ts";
import { zipOf } from "../support/zip.ts";
import { figure } from "./figures.ts";
import { alive, ECHO, Plant, parallel, sandbox, soak, type Memory } from "./support.ts";

const ROUNDS = soak ? 1000 : 40;
/** By then caches are warm and code is compiled. */
const WARM = soak ? 200 : 10;
const MB = 1024 * 1024;

/** One package for all: what is unpacked once is kept for whoever comes with the same bytes. */
const code = zipOf({ "index.js": ECHO });

/** What may be kept ready for the next, by demand, and ebbs: networks (64 at most), stems, connections. */
const KEPT: Readonly<Record<string, number>> = { links: 72 };
const KEPT_OF_OTHERS = 8;

let plant: Plant;
beforeAll(async () => {
  plant = await Plant.open();
});
afterAll(() => plant.close());

/** What the host holds of this platform, in numbers. */
function held(): Record<string, number> {
  const processes = plant.processes();
  const spawner = plant.spawner();
  const folders = (name: string): number => {
    const path = join(plant.folder, "data", name);
    return existsSync(path) ? readdirSync(path).length : 0;
  };
  const disks = "sandboxes/bubblewrap/disks";
  // A disk that no environment has yet is mounted; that of an environment is its own.
  const spare = folders(`${disks}/mounts`);
  return {
    processes: processes.size,
    mounts: spawner === undefined ? 0 : mountsOf(spawner) - spare,
    cgroups: groups(),
    namespaces: new Set([...processes.keys()].map(networkOf)).size,
    links: links(),
    descriptors: readdirSync(`/proc/${plant.platform.pid}/fd`).length,
    sockets: sockets(),
    environments: plant.environments().length,
    disks: folders(`${disks}/images`) - spare,
    packages: folders("code"),
  };
}

function mountsOf(pid: number): number {
  return readFileSync(`/proc/${pid}/mountinfo`, "utf8").split("\n").length;
}

function networkOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return "";
  }
}

function groups(): number {
  const freezer = "/sys/fs/cgroup/freezer";
  const root = existsSync(freezer) ? freezer : "/sys/fs/cgroup";
  const tag = instanceTag(join(plant.folder, "data"));
  try {
    const found = execFileSync("find", [root, "-type", "d", "-path", `*${tag}*`], { encoding: "utf8" });
    return found.split("\n").filter((line) => line !== "").length;
  } catch {
    return 0;
  }
}

function links(): number {
  const own = `thaw-${tagOf(join(plant.folder, "data"))}`;
  return readdirSync("/sys/class/net").filter((name) => name.startsWith(own)).length;
}

function sockets(): number {
  const inodes = readdirSync(`/proc/${plant.platform.pid}/fd`).filter((name) => {
    try {
      return readlinkSync(`/proc/${plant.platform.pid}/fd/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  });
  return inodes.length;
}

async function round(n: number): Promise<void> {
  const name = `round-${n}`;
  await plant.create(name, undefined, { Code: { ZipFile: await code } });
  const { error, payload } = await plant.invoke(name, { n });
  expect({ error, payload }).toMatchObject({ error: undefined, payload: { event: { n } } });
  await plant.delete(name);
}

/** Once what ends has ended: three looks in a row show the same. Connections that are kept for the next request come and go. */
async function settled(): Promise<Record<string, number>> {
  let last = "";
  let now: Record<string, number> = {};
  let same = 0;
  await until(async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    now = held();
    const { descriptors: _descriptors, sockets: _sockets, ...steady } = now;
    same = JSON.stringify(steady) === last ? same + 1 : 0;
    last = JSON.stringify(steady);
    expect(same).toBeGreaterThanOrEqual(2);
  });
  return now;
}

/** Metrics of the last five minutes are in memory, some 18 KB a function, until they are packed (`SEAL_MS` of services/cloudwatch). */
const PACKED_MS = soak ? 330_000 : 0;

/** The least that the platform holds within the time in which everything that is kept for a while has gone to disk. */
async function memoryAtRest(): Promise<Memory> {
  const end = performance.now() + PACKED_MS;
  let least = await plant.memory();
  while (performance.now() < end) {
    /* oxlint-disable no-await-in-loop */
    await new Promise((resolve) => setTimeout(resolve, 10_000));
    const now = await plant.memory();
    least = { heapUsed: Math.min(least.heapUsed, now.heapUsed), rss: Math.min(least.rss, now.rss) };
    /* oxlint-enable no-await-in-loop */
  }
  return least;
}

it.skipIf(process.platform !== "linux")(
  `leaves nothing behind after ${ROUNDS} rounds of create, invoke, delete`,
  async () => {
    for (let n = 0; n < WARM; n++)
      // oxlint-disable-next-line no-await-in-loop
      await round(n);
    const before = await settled();
    const memoryBefore = await memoryAtRest();
    for (let n = WARM; n < ROUNDS; n++)
      // oxlint-disable-next-line no-await-in-loop
      await round(n);
    const after = await settled();
    const memoryAfter = await memoryAtRest();
    const heap = (memoryAfter.heapUsed - memoryBefore.heapUsed) / MB;
    const rss = (memoryAfter.rss - memoryBefore.rss) / MB;
    await figure("rounds of create, invoke, delete", ROUNDS);
    for (const [name, count] of Object.entries(after))
      // oxlint-disable-next-line no-await-in-loop
      await figure(`${name} held after round ${WARM} and after the last`, `${before[name]} and ${count}`);
    await figure(`heap after collection, grown from round ${WARM} to the last (MB)`, heap.toFixed(2));
    await figure(`resident size, grown from round ${WARM} to the last (MB)`, rss.toFixed(1));
    const grown = Object.entries(after).filter(
      ([name, count]) => count > (before[name] ?? 0) + (KEPT[name] ?? KEPT_OF_OTHERS),
    );
    expect(grown).toEqual([]);
    if (!soak) return;
    expect(heap).toBeLessThanOrEqual(1);
    expect(rss).toBeLessThanOrEqual(10);
  },
  1_800_000,
);

it.skipIf(sandbox !== "bubblewrap")("leaves nothing of itself on the host when it ends", async () => {
  const own = await Plant.open();
  await own.create("hello");
  await parallel(4, 4, async (n) => void (await own.invoke("hello", { n, ms: 200 })));
  const processes = [...own.processes().keys()];
  const { folder } = own;
  await own.close();
  expect(existsSync(folder)).toBe(false);
  // One that has ended has its number until somebody asks for it.
  await until(() => expect(processes.filter(alive)).toEqual([]));
  expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(folder);
});
