import { atLeast, type Figure, told } from "./figures.ts";
import { type Throughput, throughput } from "./load.ts";
import type { SignedRequest } from "./signing.ts";
import { spreadOf } from "./statistics.ts";
import { descendantsOf, processorMs, proportionalSetSize, type Subject } from "./subjects.ts";

export interface WarmLoadPlan {
  readonly rounds: number;
  readonly seconds: number;
}

const CONNECTIONS = 16;

/** An environment that had less than this share of a run's time has slept through it. */
const AT_WORK = 0.02;

/** Warm invokes of one function by 16 connections, against the yardstick in turn, so that noise of the machine meets both. */
export async function warmThroughput(
  bare: Subject,
  thaw: Subject,
  requests: readonly SignedRequest[],
  { rounds, seconds }: WarmLoadPlan,
): Promise<Figure[]> {
  const [ratios, rates]: [number[], number[]] = [[], []];
  const [own, guests, yardsticks, atWork]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < rounds; round++) {
    const yardstick = await load(bare, requests, seconds);
    const ours = await load(thaw, requests, seconds);
    ratios.push(ours.rate / yardstick.rate);
    rates.push(ours.rate);
    if (ours.cost !== undefined) {
      own.push(ours.cost.ownUs);
      guests.push(ours.cost.guestsUs);
      atWork.push(ours.cost.atWork);
    }
    if (yardstick.cost !== undefined) yardsticks.push(yardstick.cost.ownUs);
  }
  const memory = await proportionalSetSize(thaw.pid);
  return [
    atLeast("warm throughput, 16 connections, of bare node:http", spreadOf(ratios), "×", 0.22),
    told("warm throughput, 16 connections", spreadOf(rates), "requests/s"),
    ...toldIfAny("processor time of the platform a warm request, 16 connections", own, "µs"),
    ...toldIfAny("processor time of the guests a warm request, 16 connections", guests, "µs"),
    ...toldIfAny("processor time of bare node:http a request, 16 connections", yardsticks, "µs"),
    ...toldIfAny("environments at work at once, 16 connections", atWork, ""),
    ...toldIfAny(
      "memory of the platform after the warm throughput",
      memory === undefined ? [] : [memory / 1e6],
      "MB",
    ),
  ];
}

function toldIfAny(what: string, values: readonly number[], unit: string): Figure[] {
  return values.length === 0 ? [] : [told(what, spreadOf(values), unit)];
}

/** What a request took, in microseconds of processor time: of the subject's own process, and of all those below it. */
interface Cost {
  readonly ownUs: number;
  readonly guestsUs: number;
  /** How many of the processes below it had work. */
  readonly atWork: number;
}

async function load(
  subject: Subject,
  requests: readonly SignedRequest[],
  seconds: number,
): Promise<Throughput & { readonly cost: Cost | undefined }> {
  const before = await processorTimes(subject);
  const result = await throughput(subject.url, requests, CONNECTIONS, seconds);
  const after = await processorTimes(subject);
  const own = spent(before, after, subject.pid);
  if (own === undefined) return { ...result, cost: undefined };
  const below = [...after.keys()]
    .filter((pid) => pid !== subject.pid)
    .map((pid) => spent(before, after, pid) ?? 0);
  const guests = below.reduce((sum, ms) => sum + ms, 0);
  const cost = {
    ownUs: (own * 1000) / result.count,
    guestsUs: (guests * 1000) / result.count,
    atWork: below.filter((ms) => ms > AT_WORK * seconds * 1000).length,
  };
  return { ...result, cost };
}

/** Milliseconds so far of a subject and all processes below it, by process; empty where the kernel does not tell. */
async function processorTimes({ pid }: Subject): Promise<ReadonlyMap<number, number>> {
  const pids = [pid, ...(await descendantsOf(pid)).map((each) => each.pid)];
  const times = await Promise.all(pids.map(async (each) => [each, await processorMs(each)] as const));
  return new Map(times.filter((entry): entry is readonly [number, number] => entry[1] !== undefined));
}

function spent(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
  pid: number,
): number | undefined {
  const end = after.get(pid);
  return end === undefined ? undefined : end - (before.get(pid) ?? 0);
}
