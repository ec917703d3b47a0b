import * as fc from "fast-check";
import { expect, it } from "vitest";
import { failuresOf } from "./partial-failures.ts";

const ids = new Set(["a", "b"]);
const read = (text: string) => [...failuresOf(Buffer.from(text), ids)];

// Developer guide, "Success and failure conditions"; recorded for streams and for queues.
it.each([
  ["", []],
  ["null", []],
  ['""', []],
  ["{}", []],
  ['{"statusCode":200}', []],
  ['{"batchItemFailures":null}', []],
  ['{"batchItemFailures":[]}', []],
  ['{"batchItemFailures":[{"itemIdentifier":"b"}]}', ["b"]],
  ['{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}', ["b"]],
  ['{"batchItemFailures":[{"itemIdentifier":""}]}', ["a", "b"]],
  ['{"batchItemFailures":[{"itemIdentifier":null}]}', ["a", "b"]],
  ['{"batchItemFailures":[{"foo":"a"}]}', ["a", "b"]],
  ['{"batchItemFailures":[{"itemIdentifier":"c"}]}', ["a", "b"]],
  ['{"batchItemFailures":{"itemIdentifier":"a"}}', ["a", "b"]],
  ['"done"', ["a", "b"]],
  ["[]", ["a", "b"]],
  ["{", ["a", "b"]],
])("reads %s as the failure of %j", (text, failed) => {
  expect(read(text)).toEqual(failed);
});

it("reads any answer", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => read(text).every((id) => ids.has(id))));
});
