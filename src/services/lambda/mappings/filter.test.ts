import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { compileFilter } from "./filter.ts";
import { readSqsMessage } from "./sqs-record.ts";

const compile = (...patterns: string[]) =>
  compileFilter({ Filters: patterns.map((Pattern) => ({ Pattern })) });

function accepts(pattern: string): boolean {
  try {
    compile(pattern);
    return true;
  } catch (problem) {
    if (problem instanceof AwsError) return false;
    throw problem;
  }
}

const message = (Body: string, more: object = {}) =>
  readSqsMessage({ MessageId: "m", Body, ...more }, { arn: "arn:aws:sqs:us-east-1:1:q", windowed: false });

it("answers any filter with consent or an error for the client", () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => void accepts(text)));
});

it.each([
  ['{"body":["a",1,null,true]}', true],
  ['{"body":{"a":[{"numeric":[">",1]}],"b":[{"exists":false}]}}', true],
  ['{"$or":[{"a":[1]},{"b":[{"prefix":"x"}]}]}', true],
  ['{"a":[]}', false],
  ['{"a":"b"}', false],
  ['{"a":[[1]]}', false],
  ['{"a":[{"prefix":"x","suffix":"y"}]}', false],
  ['{"$or":[1]}', false],
  ["[]", false],
] as const)("of filters, %s is valid: %s", (pattern, valid) => {
  expect(accepts(pattern)).toBe(valid);
});

// Developer guide, "Using event filtering with an Amazon SQS event source", "Properly filtering Amazon SQS messages".
it.each([
  ['{"body":{"a":["x"]}}', '{"a":"x","b":1}', true],
  ['{"body":{"a":["x"]}}', '{"a":"y"}', false],
  ['{"body":{"a":["x"]}}', "a: x", false],
  ['{"body":{"a":[{"exists":false}]}}', "a: x", false],
  ['{"body":{"a":[{"exists":false}]}}', "{}", true],
  ['{"body":["a: x"]}', "a: x", true],
  ['{"body":["a: x"]}', '{"a":"x"}', false],
  ['{"messageAttributes":{"n":{"stringValue":["1"]}}}', "anything", true],
  ['{"attributes":{"ApproximateReceiveCount":["1"]}}', "anything", false],
  ['{"body":{"a":[{"numeric":[">=",100,"<",200]}]}}', '{"a":150}', true],
])("lets %s a message with %s pass: %s", (pattern, body, passes) => {
  const MessageAttributes = { n: { DataType: "Number", StringValue: "1" } };
  const { filtered } = message(body, { MessageAttributes, Attributes: { ApproximateReceiveCount: "2" } });
  expect(compile(pattern)?.(filtered())).toBe(passes);
});

it("lets pass what any of its patterns does, and all without one", () => {
  const filter = compile('{"body":["a"]}', '{"body":["b"]}');
  expect(["a", "b", "c"].map((body) => filter?.(message(body).filtered()))).toEqual([true, true, false]);
  expect(compileFilter({ Filters: [] })).toBeUndefined();
});

it("reads any body", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
      expect(JSON.parse(message(body).json)).toMatchObject({ body });
      message(body).filtered();
    }),
  );
});
