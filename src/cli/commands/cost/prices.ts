import { readFileSync } from "node:fs";
import { OperatorError } from "#core/errors";
import { exit } from "../../command.ts";
import { printable } from "../../printable.ts";

/** What AWS asks for Lambda, in US dollars. `thaw cost --show-prices` prints one, `--prices FILE` reads one. */
export interface PriceTable {
  /** When these prices were AWS's. */
  readonly date: string;
  readonly source: string;
  /** What an account has for nothing every month, over all regions. */
  readonly free: { readonly requests: number; readonly gbSeconds: number; readonly streamedGb: number };
  readonly regions: Readonly<Record<string, RegionPrices>>;
}

export interface RegionPrices {
  /** One request. */
  readonly request: number;
  /** `/tmp` beyond 512 MB. */
  readonly storageGbSecond: number;
  /** Streamed responses beyond 6 MB of each. */
  readonly streamedGb: number;
  readonly x86_64: ArchitecturePrices;
  readonly arm64: ArchitecturePrices;
}

export interface ArchitecturePrices {
  /** On demand: tiers of the GB-seconds that an account uses a month in the region, in ascending order; the last has no bound. */
  readonly gbSecond: readonly Tier[];
  /** Provisioned concurrency while it is configured. */
  readonly provisionedGbSecond: number;
  /** What runs in it. */
  readonly provisionedRunGbSecond: number;
}

export interface Tier {
  readonly upTo?: number;
  readonly price: number;
}

/** The region whose prices stand in for those that are not known. */
export const STANDARD_REGION = "us-east-1";

/** A region's prices, and whether they are its own. */
export function pricesFor(
  { regions }: PriceTable,
  region: string,
): { readonly prices: RegionPrices; readonly known: boolean } {
  const own = Object.hasOwn(regions, region) ? regions[region] : undefined;
  const prices = own ?? regions[STANDARD_REGION];
  if (prices === undefined) throw new OperatorError(`There are no prices for ${region}, nor for us-east-1.`);
  return { prices, known: own !== undefined };
}

/** Reads a table. @throws OperatorError that names what is wrong in it */
export function readPrices(file: string): PriceTable {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new OperatorError(`--prices: ${printable((error as Error).message)}`, exit.usage);
  }
  return checkPrices(value);
}

type Json = Readonly<Record<string, unknown>>;

export function checkPrices(value: unknown): PriceTable {
  const table = objectAt(value, "the table");
  const { date, source } = table;
  if (typeof date !== "string" || typeof source !== "string") throw wrong("date and source", "texts");
  const free = objectAt(table["free"], "free");
  const regions = Object.entries(objectAt(table["regions"], "regions"));
  return {
    date,
    source,
    free: {
      requests: numberAt(free, "requests", "free"),
      gbSeconds: numberAt(free, "gbSeconds", "free"),
      streamedGb: numberAt(free, "streamedGb", "free"),
    },
    regions: Object.fromEntries(regions.map(([name, prices]) => [name, regionAt(prices, `regions.${name}`)])),
  };
}

function regionAt(value: unknown, path: string): RegionPrices {
  const region = objectAt(value, path);
  return {
    request: numberAt(region, "request", path),
    storageGbSecond: numberAt(region, "storageGbSecond", path),
    streamedGb: numberAt(region, "streamedGb", path),
    x86_64: architectureAt(region["x86_64"], `${path}.x86_64`),
    arm64: architectureAt(region["arm64"], `${path}.arm64`),
  };
}

function architectureAt(value: unknown, path: string): ArchitecturePrices {
  const prices = objectAt(value, path);
  const { gbSecond } = prices;
  if (!Array.isArray(gbSecond) || gbSecond.length === 0) throw wrong(`${path}.gbSecond`, "a list of tiers");
  let before = 0;
  const tiers = gbSecond.map((each, at): Tier => {
    const where = `${path}.gbSecond[${at}]`;
    const tier = objectAt(each, where);
    const price = numberAt(tier, "price", where);
    if (at === gbSecond.length - 1) return { price };
    const upTo = numberAt(tier, "upTo", where);
    if (upTo <= before) throw wrong(`${where}.upTo`, "more than that of the tier before");
    before = upTo;
    return { upTo, price };
  });
  return {
    gbSecond: tiers,
    provisionedGbSecond: numberAt(prices, "provisionedGbSecond", path),
    provisionedRunGbSecond: numberAt(prices, "provisionedRunGbSecond", path),
  };
}

function objectAt(value: unknown, path: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(path, "an object");
  return value as Json;
}

function numberAt(of: Json, name: string, path: string): number {
  const value = of[name];
  if (typeof value !== "number" || !(value >= 0) || value === Infinity)
    throw wrong(`${path}.${name}`, "a number from 0 on");
  return value;
}

function wrong(path: string, what: string): OperatorError {
  return new OperatorError(`--prices: ${printable(path)} must be ${what}`, exit.usage);
}
