import * as fc from "fast-check";
import { expect, it } from "vitest";
import { JsonProblem, parseJson, type JsonNode } from "./json.ts";
import { valueOf } from "./place.ts";
import { Positions } from "./positions.ts";

it("reads what JSON.parse reads, with where everything stands", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.constantFrom(undefined, 2), (json, indent) => {
      const text = JSON.stringify(JSON.parse(json), null, indent);
      const node = parseJson(text);
      expect(JSON.stringify(valueOf(node))).toBe(JSON.stringify(JSON.parse(text)));
      for (const part of partsOf(node))
        expect(JSON.stringify(JSON.parse(text.slice(part.start, part.end)))).toBe(
          JSON.stringify(valueOf(part)),
        );
    }),
  );
});

it("refuses what JSON.parse refuses, and nothing else", () => {
  const almost = fc
    .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom('"', "\\", "{", "]", ",", "1", "\n", "\u0001"))
    .map(([json, at, extra]) => {
      const cut = at % (json.length + 1);
      return json.slice(0, cut) + extra + json.slice(cut);
    });
  fc.assert(
    fc.property(fc.oneof(almost, fc.string()), (text) => {
      expect(problemOf(() => parseJson(text))).toBe(problemOf(() => JSON.parse(text) as unknown));
    }),
  );
});

it("tells where a text stops to be JSON, and gives up on towers", () => {
  expect(() => parseJson('{"a" 1}')).toThrow(expect.objectContaining({ offset: 5 }));
  expect(() => parseJson('{"a": 1,}')).toThrow(expect.objectContaining({ offset: 8 }));
  expect(() => parseJson("[".repeat(100_000))).toThrow(JsonProblem);
});

it("counts lines from one, columns and offsets from nought", () => {
  const positions = new Positions("ab\ncd\n");
  expect([0, 2, 3, 4, 6].map((offset) => positions.at(offset))).toEqual([
    { line: 1, column: 0, offset: 0 },
    { line: 1, column: 2, offset: 2 },
    { line: 2, column: 0, offset: 3 },
    { line: 2, column: 1, offset: 4 },
    { line: 3, column: 0, offset: 6 },
  ]);
});

function* partsOf(node: JsonNode): Generator<JsonNode> {
  yield node;
  if (node.kind === "array") for (const element of node.elements) yield* partsOf(element);
  if (node.kind === "object")
    for (const { key, value } of node.members) {
      yield key;
      yield* partsOf(value);
    }
}

function problemOf(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    if (error instanceof JsonProblem || error instanceof SyntaxError) return true;
    throw error;
  }
}
