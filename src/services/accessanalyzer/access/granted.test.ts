import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "#policy/compile";
import type { PolicyDocument, StatementElement } from "#policy/document";
import { PolicySet } from "#policy/policy-set";
import { loadPermissions } from "#wire/schema/permissions";
import { Reference } from "../reference/reference.ts";
import { granting, TooMuchToCompare } from "./granted.ts";

const reference = new Reference(loadPermissions());
const B = "arn:aws:s3:::b/*";

/** Indexes of the statements that grant some of the access. */
function granted(
  statements: readonly StatementElement[],
  actions: readonly string[],
  resources: readonly string[] = [],
): readonly number[] {
  const document: PolicyDocument = { Version: "2012-10-17", Statement: statements };
  const compiled = compilePolicy("p", document);
  return granting(compiled.statements, { actions, resources }, reference).map(({ index }) => index);
}

const allow = (Action: string | string[], Resource: string | string[] = "*"): StatementElement => ({
  Effect: "Allow",
  Action,
  Resource,
});
const deny = (Action: string | string[], Resource: string | string[] = "*"): StatementElement => ({
  ...allow(Action, Resource),
  Effect: "Deny",
});

describe("what a policy grants of some access", () => {
  it("is what its statements and the question have in common", () => {
    expect(granted([allow("s3:GetObject", B)], ["s3:GetObject"])).toEqual([0]);
    expect(granted([allow("s3:Get*", B)], ["s3:*Object"], ["arn:aws:s3:::*/secret"])).toEqual([0]);
    expect(granted([allow("s3:GetObject", B)], ["s3:PutObject"])).toEqual([]);
    expect(granted([allow("s3:GetObject", B)], ["s3:GetObject"], ["arn:aws:s3:::c/*"])).toEqual([]);
    expect(granted([allow("sqs:*"), allow("s3:*", B)], [], ["arn:aws:s3:::b/k"])).toEqual([0, 1]);
    expect(granted([allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*")], ["S3:GETOBJECT"], [B])).toEqual(
      [0],
    );
    expect(granted([{ Effect: "Allow", NotAction: "s3:*", Resource: "*" }], ["s3:GetObject"])).toEqual([]);
    expect(granted([{ Effect: "Allow", NotAction: "s3:*", Resource: "*" }], ["sqs:Send*"])).toEqual([0]);
    expect(granted([allow("own:Thing")], ["own:*"])).toEqual([0]);
    const others: StatementElement = { Effect: "Allow", Action: "s3:*", NotResource: B };
    expect(granted([others], ["s3:GetObject"], ["arn:aws:s3:::b/k"])).toEqual([]);
    expect(granted([others], ["s3:GetObject"], ["arn:aws:s3:::*"])).toEqual([0]);
  });

  it("is nothing that is surely denied", () => {
    expect(granted([allow("s3:*"), deny("s3:Delete*")], ["s3:DeleteObject"])).toEqual([]);
    expect(granted([allow("s3:*"), deny("s3:DeleteObject")], ["s3:Delete*"])).toEqual([0]);
    expect(granted([allow("s3:*", B), deny("s3:*", "arn:aws:s3:::b/*")], ["s3:GetObject"])).toEqual([]);
    expect(granted([allow("s3:*"), deny("s3:*", B)], ["s3:GetObject"], ["arn:aws:s3:::b/k"])).toEqual([]);
    expect(granted([allow("s3:*"), deny("s3:*", B)], ["s3:GetObject"])).toEqual([0]);
    const elsewhere: StatementElement = { Effect: "Deny", Action: "*", NotResource: B };
    expect(granted([allow("s3:*"), elsewhere], ["s3:GetObject"], ["arn:aws:s3:::c/k"])).toEqual([]);
    const sometimes = { ...deny("*"), Condition: { Bool: { "aws:SecureTransport": "false" } } };
    expect(granted([allow("s3:*"), sometimes], ["s3:GetObject"])).toEqual([0]);
    const somebody = { ...deny("*"), Principal: { AWS: "111111111111" } };
    expect(granted([allow("s3:*"), somebody], ["s3:GetObject"])).toEqual([0]);
    expect(
      granted([allow("s3:*"), deny("s3:*", "arn:aws:s3:::${aws:username}/*")], ["s3:Get*"], [B]),
    ).toEqual([0]);
  });

  it("is never less than what the policy decides", () => {
    const action = fc.constantFrom("s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*", "sqs:SendMessage");
    const resource = fc.constantFrom(
      "*",
      "arn:aws:s3:::b/*",
      "arn:aws:s3:::b/k",
      "arn:aws:s3:::c/?",
      "arn:aws:s3:::*/k",
    );
    const statement = fc
      .tuple(
        fc.constantFrom("Allow", "Deny"),
        fc.constantFrom("Action", "NotAction"),
        fc.array(action, { minLength: 1, maxLength: 2 }),
        fc.constantFrom("Resource", "NotResource"),
        fc.array(resource, { minLength: 1, maxLength: 2 }),
      )
      .map(([Effect, which, actions, where, resources]) => ({
        Effect,
        [which]: actions,
        [where]: resources,
      }));
    const single = fc.constantFrom("s3:GetObject", "s3:PutObject", "sqs:SendMessage", "iam:GetRole");
    const arn = fc.constantFrom(
      "arn:aws:s3:::b/k",
      "arn:aws:s3:::b/x",
      "arn:aws:s3:::c/k",
      "arn:aws:s3:::c/x",
    );
    fc.assert(
      fc.property(
        fc.array(statement, { minLength: 1, maxLength: 4 }),
        single,
        arn,
        (statements, one, where) => {
          const set = new PolicySet([compilePolicy("p", { Version: "2012-10-17", Statement: statements })]);
          const { deny: denied, allow: allowed } = set.verdict({
            action: one.toLowerCase(),
            resource: where,
            requester: { kind: "user", account: "111111111111", arn: "arn:aws:iam::111111111111:user/u" },
            keys: () => undefined,
          });
          const may = denied === undefined && allowed !== undefined;
          // Of one action on one resource there is nothing to guess.
          expect(granted(statements, [one], [where]).length > 0).toBe(may);
          if (may) expect(granted(statements, [one.replace(/:.*/, ":*")]).length).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("is not told where it would take too long", () => {
    const statements = Array.from({ length: 300 }, (_, index) => allow(`s3:*${index}*x`));
    expect(() => granted(statements, ["*"])).toThrow(TooMuchToCompare);
    const asked = Array.from({ length: 100 }, (_, index) => `arn:aws:s3:::${index}/${"a".repeat(2000)}`);
    const NotResource = `arn:aws:s3:::*${"a".repeat(1000)}b*`;
    const others: StatementElement = { Effect: "Allow", Action: "s3:*", NotResource };
    expect(() => granted([others], ["s3:GetObject"], asked)).toThrow(TooMuchToCompare);
  });
});
