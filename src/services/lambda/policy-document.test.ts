import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { parsePolicyDocument } from "./policy-document.ts";

const words = fc.constantFrom(
  "Sid",
  "Effect",
  "Allow",
  "Deny",
  "*",
  "Statement",
  "Version",
  "2012-10-17",
  "",
);
const strings = fc.oneof(words, fc.string());
const statement = fc.record(
  {
    Sid: strings,
    Effect: fc.constantFrom("Allow", "Deny"),
    Principal: fc.oneof(fc.constant("*"), fc.dictionary(strings, fc.oneof(strings, fc.array(strings)))),
    Action: fc.oneof(strings, fc.array(strings)),
    Resource: fc.oneof(strings, fc.array(strings)),
    Condition: fc.dictionary(strings, fc.dictionary(strings, strings)),
  },
  { requiredKeys: ["Effect", "Principal", "Action", "Resource"] },
);

/** Nothing but an answer for the client ever comes out of it. */
function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(AwsError);
    return false;
  }
}

it("answers any text with a document or an error for the client", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((v) => JSON.stringify(v)),
      ),
      (text) => {
        accepts(() => parsePolicyDocument(text));
      },
    ),
  );
});

it("keeps every statement that the grammar allows, and reads what it has written", () => {
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 4 }), (statements) => {
      const sids = statements.flatMap(({ Sid }) => Sid ?? []);
      const principals = statements.flatMap(({ Principal }) =>
        typeof Principal === "string" ? [1] : [Object.keys(Principal).length],
      );
      const valid = new Set(sids).size === sids.length && principals.every((count) => count > 0);
      const text = JSON.stringify({ Version: "2012-10-17", Statement: statements });
      expect(accepts(() => parsePolicyDocument(text))).toBe(valid);
      if (!valid) return;
      const document = parsePolicyDocument(text);
      expect(parsePolicyDocument(JSON.stringify(document))).toEqual(document);
      expect(document.Statement).toHaveLength(statements.length);
    }),
  );
});

it("takes a lone statement for a list of one", () => {
  const only = { Effect: "Allow", Principal: "*", Action: "lambda:InvokeFunction", Resource: "*" };
  const text = JSON.stringify({ Version: "2012-10-17", Statement: only });
  expect(parsePolicyDocument(text).Statement).toEqual([only]);
});
