import type { ArchitecturePrices, PriceTable, RegionPrices } from "./prices.ts";

/** US dollars: x86 and Arm a GB-second on demand, a million requests, `/tmp` a billion GB-seconds, provisioned x86 a million GB-seconds: kept ready, and running. */
type Row = readonly [
  x86: number,
  arm: number,
  requests: number,
  storage: number,
  ready: number,
  running: number,
];

/**
 * AWS's public price list (the offer AWSLambda, by region), as the AWS Pricing Calculator publishes it. The price list
 * has two more facts that differ by no region here: later tiers cost nine and eight tenths of the first, and Arm's
 * provisioned prices are eight tenths of x86's; products are rounded to ten digits, as there.
 */
const ROWS: Readonly<Record<string, Row>> = {
  "af-south-1": [0.0000221, 0.00001768, 0.27, 40.4, 5.53, 12.9],
  "ap-east-1": [0.00002292, 0.0000183, 0.28, 40.7, 5.7153, 13.3358],
  "ap-northeast-1": [0.0000166667, 0.0000133334, 0.2, 37, 5.3835, 12.5615],
  "ap-northeast-2": [0.0000166667, 0.0000133334, 0.2, 35.2, 5.1254, 11.9592],
  "ap-northeast-3": [0.0000166667, 0.0000133334, 0.2, 37, 5.3835, 12.5615],
  "ap-south-1": [0.0000166667, 0.0000133334, 0.2, 35.2, 4.4985, 10.4966],
  "ap-southeast-1": [0.0000166667, 0.0000133334, 0.2, 37, 5.1991, 12.1313],
  "ap-southeast-2": [0.0000166667, 0.0000133334, 0.2, 37, 5.236, 12.2173],
  "ap-southeast-4": [0.0000166667, 0.0000133334, 0.2, 37, 5.236, 12.2173],
  "ap-southeast-5": [0.000015, 0.000012, 0.18, 33.3, 4.6791, 10.9181],
  "ca-central-1": [0.0000166667, 0.0000133334, 0.2, 34, 4.646, 10.8407],
  "eu-central-1": [0.0000166667, 0.0000133334, 0.2, 36.7, 5.0147, 11.7011],
  "eu-central-2": [0.0000183334, 0.0000146667, 0.22, 44.1, 5.5162, 12.8712],
  "eu-north-1": [0.0000166667, 0.0000133334, 0.2, 32.3, 4.4248, 10.3245],
  "eu-south-1": [0.0000195172, 0.0000156138, 0.23, 35.7, 4.8783, 11.3827],
  "eu-west-1": [0.0000166667, 0.0000133334, 0.2, 34, 4.646, 10.8407],
  "eu-west-2": [0.0000166667, 0.0000133334, 0.2, 35.8, 4.8304, 11.2709],
  "eu-west-3": [0.0000166667, 0.0000133334, 0.2, 35.8, 4.8673, 11.3569],
  "me-south-1": [0.0000206667, 0.0000165334, 0.25, 37.4, 5.1108, 11.9251],
  "sa-east-1": [0.0000166667, 0.0000133334, 0.2, 58.6, 6.6372, 15.4867],
  "us-east-1": [0.0000166667, 0.0000133334, 0.2, 30.9, 4.1667, 9.7222],
  "us-east-2": [0.0000166667, 0.0000133334, 0.2, 30.9, 4.1667, 9.7222],
  "us-west-1": [0.0000166667, 0.0000133334, 0.2, 37, 4.9041, 11.443],
  "us-west-2": [0.0000166667, 0.0000133334, 0.2, 30.9, 4.1667, 9.7222],
};

/** GB-seconds a month up to which the first and the second tier go. */
const TIERS = { x86_64: [6e9, 15e9], arm64: [7.5e9, 18.75e9] } as const;

export const priceTable: PriceTable = {
  date: "2024-12",
  source: "AWS's public price list, AWSLambda",
  free: { requests: 1_000_000, gbSeconds: 400_000, streamedGb: 100 },
  regions: Object.fromEntries(Object.entries(ROWS).map(([region, row]) => [region, pricesOf(row)])),
};

function pricesOf([x86, arm, requests, storage, ready, running]: Row): RegionPrices {
  const [kept, ran] = [ready / 1e6, running / 1e6];
  return {
    request: rounded(requests / 1e6),
    storageGbSecond: rounded(storage / 1e9),
    streamedGb: 0.008,
    x86_64: architecture(x86, TIERS.x86_64, kept, ran),
    arm64: architecture(arm, TIERS.arm64, kept * 0.8, ran * 0.8),
  };
}

function architecture(
  first: number,
  [upTo, next]: readonly [number, number],
  ready: number,
  running: number,
): ArchitecturePrices {
  return {
    gbSecond: [
      { upTo, price: first },
      { upTo: next, price: rounded(first * 0.9) },
      { price: rounded(first * 0.8) },
    ],
    provisionedGbSecond: rounded(ready),
    provisionedRunGbSecond: rounded(running),
  };
}

function rounded(price: number): number {
  return Number(price.toFixed(10));
}
