import { describe, expect, it } from "vitest";
import { bill, tiered } from "./bill.ts";
import { priceTable } from "./price-table.ts";
import { checkPrices, pricesFor } from "./prices.ts";
import { dollars, groups, sheet } from "./sheet.ts";
import type { UsageLine } from "./usage.ts";

/** A GB-second, in megabytes times milliseconds. */
const GB_S = 1024 * 1000;

const line = (more: Partial<UsageLine> = {}): UsageLine => ({
  period: "2026-01",
  account: "111111111111",
  region: "us-east-1",
  function: "cart",
  architecture: "x86_64",
  requests: 0,
  provisionedRequests: 0,
  billedMs: 0,
  coldMs: 0,
  computeMbMs: 0,
  provisionedMbMs: 0,
  reservedMbMs: 0,
  storageMbMs: 0,
  streamedBytes: 0,
  ...more,
});

const costs = (lines: readonly UsageLine[], free = false) =>
  bill(lines, priceTable, free).map(({ cost }) => cost);
const first = (more: Partial<UsageLine>, free = false) => {
  const [cost] = costs([line(more)], free);
  if (cost === undefined) throw new Error("no cost");
  return cost;
};

describe("a bill", () => {
  it("is what AWS's own examples come to", () => {
    // AWS Lambda Pricing, "Example 1: Mobile application backend": 3 million requests of 120 ms with 1,536 MB cost 2.73 a
    // month beyond the free tier, 2.33 for compute and 0.40 for requests.
    const mobile = { requests: 3_000_000, billedMs: 360e6, computeMbMs: 1536 * 360e6 };
    expect(first(mobile, true).compute).toBeCloseTo(2.33, 2);
    expect(first(mobile, true).requests).toBeCloseTo(0.4, 10);
    expect(first(mobile).compute).toBeCloseTo(540_000 * 0.0000166667, 10);
    expect(first(mobile).requests).toBeCloseTo(0.6, 10);
    // "Provisioned Concurrency Pricing", example 1: 1,000 environments of 1,024 MB for two hours, 1.2 million requests of
    // one second: 30.00, 0.24 and 11.67.
    const ready = {
      requests: 1_200_000,
      provisionedRequests: 1_200_000,
      reservedMbMs: 1000 * 7200 * GB_S,
      provisionedMbMs: 1_200_000 * GB_S,
    };
    for (const free of [false, true]) {
      expect(first(ready, free).provisioned).toBeCloseTo(30 + 11.67, 2);
      expect(first(ready, free).requests).toBeCloseTo(0.24, 10);
    }
  });

  it("has storage and streamed bytes, and its parts add up", () => {
    const cost = first({
      storageMbMs: 1e6 * GB_S,
      streamedBytes: 150 * 2 ** 30,
      computeMbMs: 10 * GB_S,
      requests: 1,
    });
    expect(cost.storage).toBeCloseTo(0.0309, 10);
    expect(cost.streaming).toBeCloseTo(1.2, 10);
    expect(cost.total).toBeCloseTo(cost.compute + cost.requests + cost.storage + cost.streaming, 12);
    expect(first({ streamedBytes: 150 * 2 ** 30 }, true).streaming).toBeCloseTo(0.4, 10);
  });

  it("has tiers of all that an account uses a month in a region on one architecture", () => {
    const { gbSecond } = pricesFor(priceTable, "us-east-1").prices.x86_64;
    expect(tiered(0, gbSecond)).toBe(0);
    expect(tiered(6e9, gbSecond)).toBeCloseTo(100_000.2, 4);
    expect(tiered(16e9, gbSecond)).toBeCloseTo(6e9 * 0.0000166667 + 9e9 * 0.000015 + 1e9 * 0.0000133334, 4);
    const half = { computeMbMs: 5e9 * GB_S };
    const together = 6e9 * 0.0000166667 + 4e9 * 0.000015;
    expect(costs([line(half), line({ ...half, function: "other" })]).map(({ compute }) => compute)).toEqual([
      expect.closeTo(together / 2, 4),
      expect.closeTo(together / 2, 4),
    ]);
    for (const apart of [{ period: "2026-02" }, { region: "us-west-2" }, { account: "222222222222" }])
      for (const { compute } of costs([line(half), line({ ...half, ...apart })]))
        expect(compute).toBeCloseTo(5e9 * 0.0000166667, 4);
    const [, arm] = costs([line(half), line({ ...half, architecture: "arm64" })]);
    expect(arm?.compute).toBeCloseTo(5e9 * 0.0000133334, 4);
    // Days of one month are billed together as well.
    const days = costs([line({ ...half, period: "2026-01-01" }), line({ ...half, period: "2026-01-31" })]);
    expect(days.reduce((sum, { compute }) => sum + compute, 0)).toBeCloseTo(together, 4);
  });

  it("takes off what is free once a month, over all regions and both architectures", () => {
    const used = { requests: 1_000_000, computeMbMs: 400_000 * GB_S };
    const lines = [line(used), line({ ...used, region: "eu-west-1", architecture: "arm64" })];
    const [here, there] = costs(lines, true);
    expect(here?.compute).toBeCloseTo(200_000 * 0.0000166667, 8);
    expect(there?.compute).toBeCloseTo(200_000 * 0.0000133334, 8);
    expect((here?.requests ?? 0) + (there?.requests ?? 0)).toBeCloseTo(0.2, 10);
    expect(first(used, true).total).toBe(0);
    expect(costs([line(used), line({ ...used, account: "2" })], true).map(({ total }) => total)).toEqual([
      0, 0,
    ]);
  });
});

describe("prices", () => {
  it("are those of AWS's price list", () => {
    const { prices } = pricesFor(priceTable, "us-east-1");
    expect(prices).toEqual({
      request: 0.0000002,
      storageGbSecond: 0.0000000309,
      streamedGb: 0.008,
      x86_64: {
        gbSecond: [
          { upTo: 6e9, price: 0.0000166667 },
          { upTo: 15e9, price: 0.000015 },
          { price: 0.0000133334 },
        ],
        provisionedGbSecond: 0.0000041667,
        provisionedRunGbSecond: 0.0000097222,
      },
      arm64: {
        gbSecond: [
          { upTo: 7.5e9, price: 0.0000133334 },
          { upTo: 18.75e9, price: 0.0000120001 },
          { price: 0.0000106667 },
        ],
        provisionedGbSecond: 0.0000033334,
        provisionedRunGbSecond: 0.0000077778,
      },
    });
  });

  it("of a region that is not known are us-east-1's, and said to be", () => {
    expect(pricesFor(priceTable, "eu-west-1").known).toBe(true);
    for (const region of ["mars-north-1", "constructor"])
      expect(pricesFor(priceTable, region)).toEqual({ ...pricesFor(priceTable, "us-east-1"), known: false });
    expect(() => pricesFor({ ...priceTable, regions: {} }, "eu-west-1")).toThrow("There are no prices");
  });

  it("can be given, in the form in which they are shown", () => {
    const text = JSON.stringify(priceTable);
    expect(checkPrices(JSON.parse(text))).toEqual(priceTable);
    const west = "regions.us-west-2";
    const broken: readonly (readonly [path: string, value: unknown, message: string])[] = [
      ["date", undefined, "date and source must be texts"],
      ["free.requests", -1, "free.requests must be a number from 0 on"],
      [west, [], `${west} must be an object`],
      [`${west}.arm64.gbSecond`, [], `${west}.arm64.gbSecond must be a list of tiers`],
      [`${west}.x86_64.gbSecond.1.upTo`, 1, `${west}.x86_64.gbSecond[1].upTo must be more than`],
      [`${west}.x86_64.gbSecond.0.price`, "1", `${west}.x86_64.gbSecond[0].price must be a number`],
    ];
    for (const [path, value, message] of broken) {
      const table = JSON.parse(text) as Record<string, unknown>;
      const names = path.split(".");
      const last = names.pop() ?? "";
      let at = table;
      for (const name of names) at = at[name] as Record<string, unknown>;
      at[last] = value;
      expect(() => checkPrices(table)).toThrow(message);
    }
    for (const value of [null, [], 1, {}]) expect(() => checkPrices(value)).toThrow("--prices: ");
  });
});

describe("the sheet", () => {
  const lines = bill(
    [
      line({ requests: 1000, billedMs: 5000, coldMs: 200, computeMbMs: 5 * GB_S }),
      line({ function: "dear", requests: 10, billedMs: 1e6, computeMbMs: 1e6 * GB_S, period: "2026-02" }),
    ],
    priceTable,
    false,
  );

  it("lists functions, the dearest first, and their total", () => {
    expect(sheet(lines, "function", undefined).map((row) => row.split(/ {2,}/))).toEqual([
      ["function", "invocations", "billed ms", "of it init", "GB-s", "compute", "requests", "cost"],
      ["dear", "10", "1,000,000", "0", "1,000,000", "$16.67", "$0.000002", "$16.67"],
      ["cart", "1,000", "5,000", "200", "5.0", "$0.000083", "$0.0002", "$0.00028"],
      ["total", "1,010", "1,005,000", "200", "1,000,005", "$16.67", "$0.0002", "$16.67"],
    ]);
  });

  it("lists months, each account and region by itself", () => {
    const { rows } = groups(lines, "month");
    expect(rows.map(({ period, requests }) => [period, requests])).toEqual([
      ["2026-01", 1000],
      ["2026-02", 10],
    ]);
    const apart = bill(
      [line({ requests: 1 }), line({ requests: 1, region: "eu-west-1" })],
      priceTable,
      false,
    );
    const [head, ...cells] = sheet(apart, "function", undefined);
    expect(head).toMatch(/^function +region +invocations /);
    expect(cells.map((row) => row.split(/ +/).slice(0, 2))).toEqual([
      ["cart", "us-east-1"],
      ["cart", "eu-west-1"],
      ["total", "2"],
    ]);
  });

  it.each([
    [0, "$0"],
    [0.0000002, "$0.0000002"],
    [0.00001234, "$0.000012"],
    [0.1234, "$0.1234"],
    [3, "$3.00"],
    [1234.567, "$1,234.57"],
  ])("writes %d as %s", (cost, text) => {
    expect(dollars(cost)).toBe(text);
  });
});
