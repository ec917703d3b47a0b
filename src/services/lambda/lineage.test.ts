import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AwsError } from "#core/errors";
import type { Documents } from "#storage/documents";
import { extendLineage } from "./lineage.ts";
import { createLambdaStore } from "./store.ts";

const scope = { account: "111111111111", region: "us-east-1" };
const ROOT = "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=0";
const allowing = new Set(["free"]);
// The one read that lineages make.
const store = createLambdaStore({
  get: (key: readonly unknown[]) =>
    allowing.has(String(key[3])) ? { key, value: { recursiveLoop: "Allow" }, revision: 1 } : undefined,
} as unknown as Documents);

function hops(names: readonly string[], count: number): string | undefined {
  let header: string | undefined = ROOT;
  for (let hop = 0; hop < count; hop++)
    header = extendLineage(store, scope, names[hop % names.length] ?? "", header);
  return header;
}

it("leaves a call without a trace as it is", () => {
  expect(extendLineage(store, scope, "fn", undefined)).toBeUndefined();
});

it("counts in the header, beside what else it says", () => {
  expect(hops(["fn"], 2)).toMatch(new RegExp(`^${ROOT};Lineage=1:[0-9a-f]{8}:2$`));
  expect(hops(["a", "b"], 3)).toMatch(/;Lineage=1:[0-9a-f]{8}:2\|[0-9a-f]{8}:1$/);
});

it.each([[["fn"]], [["a", "b"]]])("stops the loop of %j", (names) => {
  expect(() => hops(names, 16 * names.length)).not.toThrow();
  expect(() => hops(names, 16 * names.length + 1)).toThrow(AwsError);
});

it("lets a function that may loop go on", () => {
  expect(() => hops(["free"], 100)).not.toThrow();
});

it.each(["Lineage=1:", "Lineage=1:x|y:z|::", ";Lineage=1:00000000:99999999999", "Lineage"])(
  "takes %j for no lineage",
  (header) => {
    expect(extendLineage(store, scope, "fn", header)).toMatch(/;Lineage=1:[0-9a-f]{8}:1$/);
  },
);

it("makes of any header one that it reads again", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `Lineage=1:${text}`),
      ),
      (header) => {
        const first = extendLineage(store, scope, "free", header) ?? "";
        const second = extendLineage(store, scope, "free", first) ?? "";
        const count = (text: string) => Number(/;Lineage=1:[^;]*?:(\d+)$/.exec(text)?.[1]);
        expect(count(second)).toBe(Math.min(count(first) + 1, 32_767));
      },
    ),
  );
});
