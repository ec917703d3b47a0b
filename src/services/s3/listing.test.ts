import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { DocumentKey } from "#storage/documents";
import { withStorage } from "../../../test/support/storage.ts";
import { compareKeys, groupOf, listKeys, type ListQuery } from "./listing.ts";

const storage = withStorage();
const parent = ["111111111111", "us-east-1", "listed", "b"] as const;
let round = 0;

/** What a list is, without any of its speed. */
function plainly(keys: readonly string[], query: ListQuery): string[] {
  const { prefix, after } = query;
  const shown: string[] = [];
  const skipped = after === "" ? undefined : groupOf(after, query);
  for (const key of keys.toSorted(compareKeys)) {
    if (!key.startsWith(prefix)) continue;
    if (after !== "" && compareKeys(key, after) <= 0) continue;
    const group = groupOf(key, query);
    if (group !== undefined && group === skipped) continue;
    const name = group === undefined ? `entry ${key}` : `prefix ${group}`;
    if (shown.at(-1) !== name) shown.push(name);
  }
  return shown;
}

it("lists as a plain filter would, whatever the keys, prefix, delimiter and marker", async () => {
  const text = fc.string({
    unit: fc.constantFrom("a", "b", "/", "//", "\u{1F600}", "\uFFFD", "\u0000"),
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        text.filter((key) => key !== ""),
        { maxLength: 12 },
      ),
      text,
      fc.constantFrom("", "/", "a", "//"),
      text,
      async (keys, prefix, delimiter, after) => {
        const own = [...parent, ++round] as const;
        const documents = keys.map((key) => ({
          key: [...own, key] as unknown as DocumentKey,
          value: key,
        }));
        await storage().documents.commit(documents);
        const query = { prefix, delimiter, after };
        const listed = Array.from(listKeys<string>(storage().documents, own, query), (item) =>
          item.kind === "entry" ? `entry ${item.key}` : `prefix ${item.prefix}`,
        );
        expect(listed).toEqual(plainly(keys, query));
      },
    ),
    { numRuns: 150 },
  );
});

it("steps over what a common prefix stands for", async () => {
  const changes = Array.from({ length: 5000 }, (_, at) => ({
    key: [...parent, `${at % 2 === 0 ? "a" : "b"}/${at}`] as unknown as DocumentKey,
    value: 0,
  }));
  await storage().documents.commit(changes);
  let read = 0;
  const counting = {
    ...storage().documents,
    get: storage().documents.get.bind(storage().documents),
    *list(...given: Parameters<ReturnType<typeof storage>["documents"]["list"]>) {
      for (const document of storage().documents.list(...given)) {
        read += 1;
        yield document;
      }
    },
  };
  const query = { prefix: "", delimiter: "/", after: "" };
  expect(Array.from(listKeys(counting as never, parent, query))).toEqual([
    { kind: "prefix", prefix: "a/" },
    { kind: "prefix", prefix: "b/" },
  ]);
  expect(read).toBeLessThan(5);
});
