import { expect, it } from "vitest";
import { Turnstile } from "./turnstile.ts";

function gate() {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

it("lets work pass side by side, and waits for all of it before something is alone", async () => {
  const turnstile = new Turnstile();
  const order: string[] = [];
  const [first, second] = [gate(), gate()];
  const work = [first, second].map(({ opened }, index) =>
    turnstile.pass(async () => {
      order.push(`begin ${index}`);
      await opened;
      order.push(`end ${index}`);
    }),
  );
  const alone = turnstile.alone(async () => {
    order.push("alone");
    await turns();
    order.push("alone no more");
  });
  const late = turnstile.pass(async () => void order.push("late"));
  second.open();
  await turns();
  expect(order).toEqual(["begin 0", "begin 1", "end 1"]);
  first.open();
  await Promise.all([...work, alone, late]);
  expect(order.slice(3)).toEqual(["end 0", "alone", "alone no more", "late"]);
});

it("lets those that want to be alone in one after another", async () => {
  const turnstile = new Turnstile();
  let inside = 0;
  const visit = async (): Promise<number> => {
    inside++;
    await turns();
    return inside--;
  };
  const visits = [
    turnstile.alone(visit),
    turnstile.pass(visit),
    turnstile.alone(visit),
    turnstile.alone(visit),
  ];
  expect(await Promise.all(visits)).toEqual([1, 1, 1, 1]);
});

it("goes on after failures", async () => {
  const turnstile = new Turnstile();
  const fail = () => Promise.reject(new Error("no"));
  await expect(turnstile.pass(fail)).rejects.toThrow("no");
  await expect(turnstile.alone(fail)).rejects.toThrow("no");
  expect(await turnstile.pass(() => Promise.resolve(1))).toBe(1);
  expect(await turnstile.alone(() => Promise.resolve(2))).toBe(2);
});
