import * as fc from "fast-check";
import { expect, test } from "vitest";
import { callContext } from "../../../test/support/lambda-service.ts";
import { functionArn, parseFunctionName } from "./names.ts";

const call = callContext();
const word = fc.stringMatching(/^[a-zA-Z0-9-_]{1,64}$/);
const qualifier = fc.option(fc.oneof(word, fc.constant("$LATEST")), { nil: undefined });
const parse = (text: string, given?: string) => parseFunctionName(call, "GetFunction", text, given);

test("every way to write a function leads to the same name", () => {
  fc.assert(
    fc.property(word, qualifier, (name, version) => {
      const suffix = version === undefined ? "" : `:${version}`;
      const expected = { account: call.account, region: call.region, name, qualifier: version };
      expect(parse(functionArn(call, name, version))).toEqual(expected);
      expect(parse(`${call.account}:function:${name}${suffix}`)).toEqual(expected);
      expect(parse(`function:${name}${suffix}`)).toEqual(expected);
      expect(parse(name, version)).toEqual(expected);
      if (version !== undefined) expect(parse(functionArn(call, name, version), version)).toEqual(expected);
    }),
  );
});

test("no text makes the reader do anything but answer or refuse with an AWS error", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      try {
        expect(parse(text).name).toMatch(/^[a-zA-Z0-9-_.]+$/);
      } catch (problem) {
        expect(problem).toMatchObject({ name: "AwsError" });
      }
    }),
  );
});
