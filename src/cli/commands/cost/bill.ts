import { type PriceTable, pricesFor, type Tier } from "./prices.ts";
import type { UsageLine } from "./usage.ts";

/** What a line of usage costs, in US dollars. */
export interface Cost {
  readonly compute: number;
  readonly requests: number;
  /** Provisioned concurrency: while it was configured, and what ran in it. */
  readonly provisioned: number;
  readonly storage: number;
  readonly streaming: number;
  readonly total: number;
}

export interface BilledLine {
  readonly usage: UsageLine;
  readonly cost: Cost;
}

/** A megabyte for a millisecond. */
const GB_SECOND = 1024 * 1000;
const GB = 1024 ** 3;

export function gbSeconds(mbMs: number): number {
  return mbMs / GB_SECOND;
}

/**
 * Prices usage as AWS does. Tiers are of all that an account uses a month in a region on one architecture, what is free of
 * all that it uses a month: each line bears its share of both.
 */
export function bill(lines: readonly UsageLine[], table: PriceTable, freeTier: boolean): BilledLine[] {
  const months = new Totals(lines, ({ account, period }) => [account, monthOf(period)]);
  const regions = new Totals(lines, ({ account, period, region, architecture }) => [
    account,
    monthOf(period),
    region,
    architecture,
  ]);
  return lines.map((usage) => {
    const { region, architecture } = usage;
    const { prices } = pricesFor(table, region);
    const own = prices[architecture];
    const all = months.of(usage);
    const paid = (used: number, free: number) =>
      !freeTier || used === 0 ? 1 : Math.max(0, used - free) / used;
    const { free } = table;
    const paidCompute = paid(gbSeconds(all.computeMbMs), free.gbSeconds);
    const inRegion = gbSeconds(regions.of(usage).computeMbMs) * paidCompute;
    const compute =
      inRegion === 0
        ? 0
        : tiered(inRegion, own.gbSecond) * ((gbSeconds(usage.computeMbMs) * paidCompute) / inRegion);
    // "The Lambda free tier does not apply to functions that have Provisioned Concurrency enabled" (AWS Lambda Pricing).
    const onDemand = usage.requests - usage.provisionedRequests;
    const requests =
      prices.request *
      (usage.provisionedRequests + onDemand * paid(all.requests - all.provisionedRequests, free.requests));
    const provisioned =
      gbSeconds(usage.reservedMbMs) * own.provisionedGbSecond +
      gbSeconds(usage.provisionedMbMs) * own.provisionedRunGbSecond;
    const storage = gbSeconds(usage.storageMbMs) * prices.storageGbSecond;
    const streaming =
      (usage.streamedBytes / GB) * paid(all.streamedBytes / GB, free.streamedGb) * prices.streamedGb;
    const total = compute + requests + provisioned + storage + streaming;
    return { usage, cost: { compute, requests, provisioned, storage, streaming, total } };
  });
}

/** What GB-seconds of a month cost, tier by tier. */
export function tiered(used: number, tiers: readonly Tier[]): number {
  let [cost, from] = [0, 0];
  for (const { upTo = Infinity, price } of tiers) {
    if (used <= from) break;
    cost += (Math.min(used, upTo) - from) * price;
    from = upTo;
  }
  return cost;
}

export function addCost(a: Cost, b: Cost): Cost {
  return {
    compute: a.compute + b.compute,
    requests: a.requests + b.requests,
    provisioned: a.provisioned + b.provisioned,
    storage: a.storage + b.storage,
    streaming: a.streaming + b.streaming,
    total: a.total + b.total,
  };
}

export const noCost: Cost = { compute: 0, requests: 0, provisioned: 0, storage: 0, streaming: 0, total: 0 };

type Sums = Record<"computeMbMs" | "requests" | "provisionedRequests" | "streamedBytes", number>;

/** Sums of lines that are billed together. */
class Totals {
  readonly #keyOf: (line: UsageLine) => string;
  readonly #sums = new Map<string, Sums>();

  constructor(lines: readonly UsageLine[], keyOf: (line: UsageLine) => readonly string[]) {
    this.#keyOf = (line) => keyOf(line).join("\n");
    for (const line of lines) {
      const sums = this.of(line);
      sums.computeMbMs += line.computeMbMs;
      sums.requests += line.requests;
      sums.provisionedRequests += line.provisionedRequests;
      sums.streamedBytes += line.streamedBytes;
      this.#sums.set(this.#keyOf(line), sums);
    }
  }

  of(line: UsageLine): Sums {
    return (
      this.#sums.get(this.#keyOf(line)) ?? {
        computeMbMs: 0,
        requests: 0,
        provisionedRequests: 0,
        streamedBytes: 0,
      }
    );
  }
}

function monthOf(period: string): string {
  return period.slice(0, 7);
}
