// What is killed answers the documented error; nothing else is lost.
import { afterAll, beforeAll, expect, it } from "vitest";
import { until } from "../lifecycle/support.ts";
import { figure } from "./figures.ts";
import { alive, Plant, parallel, sandbox, soak } from "./support.ts";

const INVOKES = soak ? 10_000 : 300;
const FUNCTIONS = 5;
const KILL_SHARE = 0.04;

let plant: Plant;
beforeAll(async () => {
  plant = await Plant.open();
  await parallel(FUNCTIONS, FUNCTIONS, (n) => plant.create(`f${n}`));
});
afterAll(async () => {
  const errors = plant.platform.errors();
  await plant.close();
  expect(errors).not.toMatch(/uncaught|nothing caught|internal failure/);
});

const KILLED = {
  errorType: "Runtime.ExitError",
  errorMessage: expect.stringMatching(/^RequestId: \S+ Error: Runtime exited with error: signal: killed$/),
};

it.skipIf(process.platform !== "linux")(
  `loses none of ${INVOKES} invokes but those whose environment is killed`,
  async () => {
    let kills = 0;
    let killed = 0;
    let answered = 0;
    const killOne = (): void => {
      const guests = plant.guests();
      const victim = guests[Math.floor(Math.random() * guests.length)];
      try {
        if (victim === undefined) return;
        process.kill(victim, "SIGKILL");
        kills++;
      } catch {
        // It ended by itself.
      }
    };
    await parallel(INVOKES, 16, async (n) => {
      // By their number, not by time: a host under load starts environments slowly, and is to lose no more of them.
      if (Math.random() < KILL_SHARE) killOne();
      const { error, payload } = await plant.invoke(`f${n % FUNCTIONS}`, { n, ms: n % 10 });
      if (error === undefined) {
        expect(payload).toMatchObject({ event: { n } });
        answered++;
      } else {
        expect(payload).toEqual(KILLED);
        killed++;
      }
    });
    expect(answered + killed).toBe(INVOKES);
    expect(kills).toBeGreaterThan(0);
    expect(killed).toBeLessThanOrEqual(kills);
    await until(async () => expect((await plant.invoke("f0", 1)).payload).toMatchObject({ event: 1 }));
    await figure("environments killed at random under load of 16 clients", kills);
    await figure("invokes meanwhile", INVOKES);
    await figure("invokes that answered the documented error of a killed environment", killed);
    await figure("invokes lost otherwise", INVOKES - answered - killed);
  },
  1_200_000,
);

it.skipIf(sandbox !== "bubblewrap")("serves on when its spawner is killed under load", async () => {
  const first = plant.spawner();
  if (first === undefined) throw new Error("there is no spawner");
  const all = (ms: number, length = 8) =>
    Array.from({ length }, (_, n) => plant.invoke(`f${n % FUNCTIONS}`, { n, ms }));
  // Those that are still to be initialised would be, again, by the next spawner; those that are left idle die with it.
  await Promise.all(all(500, 24));
  const waiting = all(30_000);
  await until(async () => {
    const health = (await (await fetch(`${plant.platform.url}/_thaw/health`)).json()) as { busy: number };
    expect(health.busy).toBe(8);
  });
  const guests = plant.guests();
  process.kill(first, "SIGKILL");
  for (const { error, payload } of await Promise.all(waiting)) {
    expect(error).toBe("Unhandled");
    expect(payload).toEqual(KILLED);
  }
  const again = await Promise.all(all(0));
  expect(again.map(({ payload }) => payload)).toMatchObject(again.map((_, n) => ({ event: { n } })));
  await until(() => expect(guests.filter(alive)).toEqual([]));
  expect(plant.spawner()).not.toBe(first);
});

it.skipIf(sandbox !== "bubblewrap")(
  "leaves no guest when it is killed, and starts again over what it left",
  async () => {
    const running = plant.invoke("f0", { ms: 30_000 }).catch(() => "cut");
    await plant.invoke("f1");
    await until(() => expect(plant.guests().length).toBeGreaterThan(1));
    const all = [...plant.processes().keys()];
    await plant.platform.stop("SIGKILL");
    await running;
    await until(() => expect(all.filter(alive)).toEqual([]));
    plant.lambda.destroy();
    plant = await Plant.open([], plant.folder);
    expect((await plant.invoke("f0", 2)).payload).toMatchObject({ event: 2 });
    // Its own environments and stems alone: nothing of the one before.
    await until(() => expect(plant.environments().length).toBe(plant.guests().length));
  },
);
