import * as fc from "fast-check";
import type { PolicyDocument, StatementElement } from "../../src/policy/document.ts";
import type { Requester } from "../../src/policy/requester.ts";
import type { NaiveCase } from "./naive.ts";

// Few values, so that statements and requests meet often.
const OWN = "111111111111";
const OTHER = "222222222222";
const USER = `arn:aws:iam::${OWN}:user/u`;
const ROLE = `arn:aws:iam::${OWN}:role/r`;
const SESSION = `arn:aws:sts::${OWN}:assumed-role/r/s`;

const action = fc.constantFrom("s3:GetObject", "s3:PutObject", "lambda:InvokeFunction");
const actionPattern = fc.oneof(
  action,
  fc.constantFrom("*", "s3:*", "S3:get*", "s3:?etObject", "lambda:Invoke*", "lambda:*Function"),
);
const resource = fc.constantFrom("arn:aws:s3:::b/k", "arn:aws:s3:::b/u/k", "arn:aws:s3:::b/*", "*");
const resourcePattern = fc.constantFrom(
  "*",
  "arn:aws:s3",
  "arn:aws:s3:::b/*",
  "arn:aws:s3:::*",
  "arn:aws:*:::b/?",
  "arn:aws:s3:::b/k",
  "arn:aws:s3:::b/${aws:username}/*",
  "arn:aws:s3:::*/${app:team}",
  "arn:*:*/k",
);
const awsName = fc.constantFrom("*", OWN, OTHER, `arn:aws:iam::${OWN}:root`, USER, ROLE, SESSION);
const principal = fc.oneof(
  fc.constant("*" as const),
  fc.record({ AWS: fc.oneof(awsName, fc.array(awsName, { minLength: 1, maxLength: 2 })) }),
  fc.record({ Service: fc.constantFrom("sns.amazonaws.com", "s3.amazonaws.com") }),
);

const operator = fc
  .tuple(
    fc.constantFrom("", "ForAllValues:", "ForAnyValue:"),
    fc.constantFrom("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "NumericLessThan"),
    fc.constantFrom("", "IfExists"),
  )
  .map((parts) => parts.join(""));
const key = fc.constantFrom("aws:username", "app:team", "aws:TagKeys", "app:size");
const value = fc.constantFrom("u", "k", "*", "5", "${app:team}", "${aws:username}", "?");
const condition = fc.oneof(
  fc.dictionary(
    operator,
    fc.dictionary(key, fc.array(value, { minLength: 1, maxLength: 2 }), { minKeys: 1, maxKeys: 1 }),
    { minKeys: 1, maxKeys: 2, noNullPrototype: true },
  ),
  fc.record({ Null: fc.dictionary(key, fc.constantFrom("true", "false"), { minKeys: 1, maxKeys: 1 }) }),
);

export function statement(named: boolean): fc.Arbitrary<StatementElement> {
  return fc
    .tuple(
      fc.constantFrom("Allow" as const, "Allow" as const, "Deny" as const),
      fc.array(actionPattern, { minLength: 1, maxLength: 2 }),
      fc.array(resourcePattern, { minLength: 1, maxLength: 2 }),
      principal,
      fc.option(condition, { freq: 2, nil: undefined }),
      fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)),
    )
    .map(([Effect, actions, resources, who, Condition, [notAction, notResource, notPrincipal]]) => ({
      Effect,
      ...(notAction === 0 ? { NotAction: actions } : { Action: actions }),
      ...(notResource === 0 ? { NotResource: resources } : { Resource: resources }),
      ...(named ? (notPrincipal === 0 ? { NotPrincipal: who } : { Principal: who }) : {}),
      ...(Condition === undefined ? {} : { Condition }),
    }));
}

export function policy(named: boolean): fc.Arbitrary<PolicyDocument> {
  return fc.record({
    Version: fc.constantFrom("2012-10-17", "2012-10-17", "2008-10-17"),
    Statement: fc.array(statement(named), { minLength: 1, maxLength: 3 }),
  });
}

const requester: fc.Arbitrary<Requester> = fc.constantFrom<Requester>(
  { kind: "root", account: OWN, arn: `arn:aws:iam::${OWN}:root` },
  { kind: "user", account: OWN, arn: USER },
  { kind: "user", account: OTHER, arn: `arn:aws:iam::${OTHER}:user/u` },
  { kind: "role", account: OWN, arn: SESSION, roleArn: ROLE },
  { kind: "federated-user", account: OWN, arn: `arn:aws:sts::${OWN}:federated-user/f`, userArn: USER },
  { kind: "service", account: OWN, arn: "sns.amazonaws.com" },
  { kind: "anonymous", account: "", arn: "" },
);

const keyValues = fc.array(fc.constantFrom("u", "k", "*", "7", "3"), { maxLength: 2 });

export const policyCase: fc.Arbitrary<NaiveCase> = fc.record({
  requester,
  action,
  resource,
  owner: fc.constantFrom(OWN, OWN, OTHER),
  context: fc
    .record(
      { "aws:username": keyValues, "app:team": keyValues, "aws:tagkeys": keyValues, "app:size": keyValues },
      { requiredKeys: [], noNullPrototype: true },
    )
    .map((context) => context as Record<string, readonly string[]>),
  identity: fc.array(policy(false), { maxLength: 3 }),
  boundary: fc.option(policy(false), { freq: 3, nil: undefined }),
  session: fc.option(policy(false), { freq: 3, nil: undefined }),
  attached: fc.option(policy(true), { freq: 2, nil: undefined }),
});
