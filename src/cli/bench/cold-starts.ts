import { availableParallelism } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { send } from "./load.ts";
import { atMost, type Figure, told } from "./figures.ts";
import type { SignedRequest } from "./signing.ts";
import { quantile, spreadOf } from "./statistics.ts";
import { descendantsOf, proportionalSetSize, type Subject, timeProcess } from "./subjects.ts";

export type Language = "nodejs" | "python";

/** A language's interpreter, and what the cold starts of its functions may take at most, in its own bare starts. */
export interface Interpreter {
  readonly language: Language;
  readonly path: string;
}

/** Functions to measure with: each has never been invoked. */
export interface FreshFunctions {
  deploy(name: string, language: Language, variables?: Readonly<Record<string, string>>): Promise<void>;
  sign(name: string, number: number): Promise<SignedRequest>;
}

const TRAITS = {
  // A variable that acts when the process starts: no stem environment serves a function that sets it.
  nodejs: { label: "Node.js", bare: ["-e", "0"], most: 1.4, noStem: { NODE_NO_WARNINGS: "1" } },
  python: { label: "Python", bare: ["-c", "0"], most: 3, noStem: { PYTHONNODEBUGRANGES: "1" } },
} as const;

/** The next stem environment boots in the background once the last invocation has been answered. */
const STEM_BOOTS_MS = 1000;

/** First invokes one after the other, each after a bare start of the interpreter: the noise of the machine meets both. */
export async function coldStarts(
  thaw: Subject,
  functions: FreshFunctions,
  { language, path }: Interpreter,
  count: number,
): Promise<Figure[]> {
  const { label, bare, most, noStem } = TRAITS[language];
  const measured = async (
    kind: string,
    bareStart: () => Promise<number>,
    variables?: Readonly<Record<string, string>>,
  ): Promise<number[]> => {
    const ratios: number[] = [];
    for (let number = -1; number < count; number++) {
      const name = `cold-${kind}-${language}-${number + 1}`;
      await functions.deploy(name, language, variables);
      await pause(STEM_BOOTS_MS);
      const signed = await functions.sign(name, number);
      const yardstick = await bareStart();
      const { ms } = await send(thaw.url, signed);
      if (number >= 0) ratios.push(ms / yardstick);
    }
    return ratios;
  };
  // What specialising takes hardly depends on the language: its yardstick is the same for all.
  const stem = await measured("stem", () => timeProcess(process.execPath, TRAITS.nodejs.bare));
  const alone = await measured("alone", () => timeProcess(path, bare), noStem);
  const kind = `cold start, ${label}, with a stem environment, of a bare start of Node.js`;
  return [
    atMost(`${kind}, p50`, spreadOf(stem), "×", 0.1),
    atMost(`${kind}, p99`, spreadOf([quantile(stem, 0.99)]), "×", 0.3),
    atMost(`cold start, ${label}, no stem, of a bare interpreter start, p50`, spreadOf(alone), "×", most),
  ];
}

/** First invokes of as many functions at once, without stems. All must succeed. */
export async function parallelStarts(
  thaw: Subject,
  functions: FreshFunctions,
  { language, path }: Interpreter,
  count: number,
): Promise<Figure[]> {
  const { label, bare, most, noStem } = TRAITS[language];
  const names = Array.from({ length: count }, (_, number) => `parallel-${language}-${number}`);
  for (const name of names) await functions.deploy(name, language, noStem);
  const signed = await Promise.all(names.map((name) => functions.sign(name, 1)));
  const yardstick: number[] = [];
  for (let round = 0; round < 10; round++) yardstick.push(await timeProcess(path, bare));
  const started = performance.now();
  await Promise.all(signed.map((request) => send(thaw.url, request)));
  const share = (count * quantile(yardstick, 0.5)) / availableParallelism();
  const ratio = (performance.now() - started) / share;
  return [
    atMost(
      `${count} first invokes at once, ${label}, of ${count} bare starts ÷ cores`,
      spreadOf([ratio]),
      "×",
      most,
    ),
  ];
}

/** What `count` warm idle environments of Node.js hold, their walls told apart from them. */
export async function environmentMemory(
  thaw: Subject,
  functions: FreshFunctions,
  count: number,
): Promise<Figure[]> {
  for (let number = 0; number < count; number++) {
    const name = `idle-${number}`;
    await functions.deploy(name, "nodejs");
    await send(thaw.url, await functions.sign(name, number));
  }
  const guests: number[] = [];
  const walls: number[] = [];
  for (const { pid, command } of await descendantsOf(thaw.pid)) {
    const bytes = await proportionalSetSize(pid);
    if (bytes === undefined) continue;
    if (command[0]?.endsWith("bwrap") === true) walls.push(bytes / 1e6);
    else if (command.some((word) => word.endsWith("/bootstrap.cjs"))) guests.push(bytes / 1e6);
  }
  if (guests.length === 0) return [];
  const what = `proportional set size of an idle Node.js environment, ${count} of them`;
  const perGuest = walls.reduce((sum, each) => sum + each, 0) / guests.length;
  return [
    atMost(what, spreadOf(guests), "MB", 12),
    ...(walls.length === 0
      ? []
      : [told(`${what}: bubblewrap's processes for each`, spreadOf([perGuest]), "MB")]),
  ];
}
