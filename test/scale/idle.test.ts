// Many functions at once: first invokes side by side, idle environments, frozen, and the one that has to go.
import { existsSync, readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { until } from "../lifecycle/support.ts";
import { figure } from "./figures.ts";
import { instanceTag } from "#engine/sandbox/bubblewrap/backend";
import { Plant, parallel, sandbox, soak } from "./support.ts";

const FUNCTIONS = soak ? 500 : 20;
const ENVIRONMENTS = 2 * FUNCTIONS;
/** Functions that are invoked at once, twice each. */
const WIDTH = soak ? 6 : 2;
const FIRST_INVOKES = soak ? 200 : 30;

const wait = { timeout: soak ? 600_000 : 60_000 };

interface Echo {
  readonly environment: string;
}

it.skipIf(process.platform !== "linux")(
  `holds ${ENVIRONMENTS} idle environments of ${FUNCTIONS} functions, frozen, and ends the least recently used for one more`,
  async () => {
    const plant = await Plant.open(["--concurrency", String(ENVIRONMENTS)]);
    try {
      await parallel(FUNCTIONS, 16, (n) => plant.create(`idle-${n}`, undefined, { MemorySize: 128 }));
      // Two at a time in each function: neither can have the other's. Some functions at a time, for as long as the two need
      // to find each other busy, so that the run takes what starting a thousand environments takes.
      const used: string[] = [];
      await parallel(FUNCTIONS, WIDTH, async (n) => {
        const both = await Promise.all([1, 2].map(() => plant.invoke(`idle-${n}`, { ms: 500 })));
        expect(both.map(({ error }) => error)).toEqual([undefined, undefined]);
        used.push(...both.map(({ payload }) => (payload as Echo).environment));
      });
      const all = new Set(used);
      expect(all.size).toBe(ENVIRONMENTS);
      expect(await environments(plant)).toBe(ENVIRONMENTS);
      if (sandbox === "bubblewrap" && existsSync("/sys/fs/cgroup/freezer"))
        await until(() => expect(frozen(plant, all)).toBe(ENVIRONMENTS));
      await figure("idle environments held at once, frozen", ENVIRONMENTS);
      await figure("functions they belong to", FUNCTIONS);
      await figure("memory of all idle environments together (MB, proportional set size)", memoryOf(plant));

      // All but one function's are used again, so that it is known whose turn it is.
      const [oldest] = [7];
      const kept = new Set<string>();
      await parallel(FUNCTIONS, WIDTH, async (n) => {
        if (n === oldest) return;
        const both = await Promise.all([1, 2].map(() => plant.invoke(`idle-${n}`, { ms: 300 })));
        for (const { payload } of both) kept.add((payload as Echo).environment);
      });
      const turn = [...all].filter((id) => !kept.has(id));
      expect(turn).toHaveLength(2);
      await plant.create("one-more", undefined, { MemorySize: 128 });
      expect((await plant.invoke("one-more")).error).toBe(undefined);
      expect(await environments(plant)).toBe(ENVIRONMENTS);
      await until(() => {
        const here = new Set(plant.environments());
        expect(turn.filter((id) => here.has(id))).toHaveLength(1);
        expect([...kept].filter((id) => !here.has(id))).toEqual([]);
      });
      await figure("environments after one more was started at that limit", await environments(plant));
    } finally {
      await plant.close();
    }
  },
  wait.timeout * 3,
);

it.skipIf(process.platform !== "linux")(
  `serves ${FIRST_INVOKES} first invokes of ${FIRST_INVOKES} functions at once`,
  async () => {
    const plant = await Plant.open();
    try {
      await parallel(FIRST_INVOKES, 16, (n) => plant.create(`first-${n}`, undefined, { MemorySize: 128 }));
      const answers = await Promise.all(
        Array.from({ length: FIRST_INVOKES }, (_, n) => plant.invoke(`first-${n}`, { n })),
      );
      expect(answers.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
      expect(answers.map(({ payload }) => payload)).toMatchObject(answers.map((_, n) => ({ event: { n } })));
      await figure("first invokes of as many functions at once, all answered", FIRST_INVOKES);
    } finally {
      await plant.close();
    }
  },
  wait.timeout * 2,
);

async function environments(plant: Plant): Promise<number> {
  const health = (await (await fetch(`${plant.platform.url}/_thaw/health`)).json()) as {
    environments: number;
  };
  return health.environments;
}

/** How many of the environments' control groups are stopped (version 1). */
function frozen(plant: Plant, ids: ReadonlySet<string>): number {
  const tag = instanceTag(join(plant.folder, "data"));
  const found = execFileSync(
    "find",
    ["/sys/fs/cgroup/freezer", "-path", `*${tag}*`, "-name", "freezer.state"],
    { encoding: "utf8" },
  );
  return found
    .split("\n")
    .filter((path) => ids.has(path.split("/").at(-2) ?? ""))
    .filter((path) => readFileSync(path, "utf8").startsWith("FROZEN")).length;
}

function memoryOf(plant: Plant): string {
  let kb = 0;
  for (const pid of plant.guests()) {
    try {
      kb += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1] ?? 0);
    } catch {
      // Gone meanwhile.
    }
  }
  return (kb / 1024).toFixed(0);
}
