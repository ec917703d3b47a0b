import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemIds as ids } from "#core/ids";
import { compilePolicy } from "#policy/compile";
import type { PolicyDocument } from "#policy/document";
import { PolicySet } from "#policy/policy-set";
import { type DenialDetails, denialDetails } from "./denial-details.ts";
import { createEncodedMessages } from "./encoded-messages.ts";

const ACCOUNT = "111111111111";
const document: PolicyDocument = {
  Version: "2012-10-17",
  Statement: [
    { Sid: "Some", Effect: "Allow", Action: "s3:*", Resource: "*" },
    {
      Sid: "NotThere",
      Effect: "Deny",
      Action: ["s3:PutObject"],
      Resource: "arn:aws:s3:::b/*",
      Condition: { StringEquals: { "aws:PrincipalTag/Team": ["blue", "red"] } },
    },
  ],
};
const policy = new PolicySet([compilePolicy("inline", document)]);
const [, deny] = policy.policies[0]?.statements ?? [];

const denied = (more: Partial<Parameters<typeof denialDetails>[0]> = {}) => {
  const resource = "arn:aws:s3:::b/k";
  const arn = `arn:aws:sts::${ACCOUNT}:assumed-role/r/session`;
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/r`;
  const userId = "AROAAAAAAAAAAAAAAAAAA:session";
  const values: Readonly<Record<string, string>> = {
    "aws:principaltag/team": "blue",
    "aws:useragent": "test",
    "s3:prefix": "k",
  };
  return denialDetails({
    principal: { kind: "assumed-role", account: ACCOUNT, arn, userId, roleArn },
    question: { action: "s3:PutObject", resource, keys: { "s3:prefix": "k" } },
    request: {
      action: "s3:putobject",
      resource,
      requester: { kind: "role", account: ACCOUNT, arn, roleArn },
      keys: (name) => (values[name] === undefined ? undefined : [values[name]]),
    },
    denial: { allowed: false, kind: "identity", statement: deny },
    region: "eu-west-1",
    owner: ACCOUNT,
    sets: { identity: policy },
    ...more,
  });
};

const values = (...items: string[]) => ({ items: items.map((value) => ({ value })) });

describe("the details of a denial", () => {
  it("have the form of AWS's", () => {
    expect(denied()).toEqual({
      allowed: false,
      explicitDeny: true,
      matchedStatements: {
        items: [
          {
            statementId: "NotThere",
            effect: "DENY",
            principals: values("AROAAAAAAAAAAAAAAAAAA"),
            principalGroups: { items: [] },
            actions: values("s3:PutObject"),
            resources: values("arn:aws:s3:::b/*"),
            conditions: { items: [{ key: "aws:PrincipalTag/Team", values: values("blue", "red") }] },
          },
        ],
      },
      failures: { items: [] },
      context: {
        principal: {
          id: "AROAAAAAAAAAAAAAAAAAA:session",
          arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/session`,
        },
        action: "s3:PutObject",
        resource: "arn:aws:s3:::b/k",
        conditions: {
          items: [
            { key: "aws:Region", values: values("eu-west-1") },
            { key: "aws:Service", values: values("s3") },
            { key: "aws:Resource", values: values("b/k") },
            { key: "aws:Account", values: values(ACCOUNT) },
            { key: "aws:ARN", values: values("arn:aws:s3:::b/k") },
            { key: "aws:principaltag/team", values: values("blue") },
            { key: "s3:prefix", values: values("k") },
            { key: "aws:UserAgent", values: values("test") },
          ],
        },
      },
    });
    expect(denied({ denial: { allowed: false, kind: "identity", statement: undefined } })).toMatchObject({
      explicitDeny: false,
      matchedStatements: { items: [] },
    });
  });

  it("have nothing of another account's policies", () => {
    const resource = {
      denial: { allowed: false, kind: "resource", statement: deny } as const,
      sets: { resource: policy },
    };
    expect(denied(resource).matchedStatements.items).toHaveLength(1);
    expect(denied({ ...resource, owner: "222222222222" }).matchedStatements.items).toEqual([]);
  });
});

describe("encoded messages", () => {
  const messages = createEncodedMessages({ key: randomBytes(32), ids });

  it("are read again by their account alone, with the key that they were made with", () => {
    const message = messages.encode(ACCOUNT, denied());
    expect(message).toMatch(/^[\w-]+$/);
    expect(JSON.parse(messages.decode(ACCOUNT, message) ?? "")).toEqual(denied());
    expect(messages.encode(ACCOUNT, denied())).not.toBe(message);
    expect(messages.decode("222222222222", message)).toBeUndefined();
    const others = createEncodedMessages({ key: randomBytes(32), ids });
    expect(others.decode(ACCOUNT, message)).toBeUndefined();
  });

  it("are nothing once a character is another one", () => {
    const message = messages.encode(ACCOUNT, denied());
    const changed = fc
      .tuple(fc.nat(message.length - 2), fc.constantFrom("A", "a", "0", "_", "-", "=", "\n", "+"))
      .map(([at, letter]) => message.slice(0, at) + letter + message.slice(at + 1));
    fc.assert(
      fc.property(fc.oneof(changed, fc.string()), (text) => {
        if (text !== message) expect(messages.decode(ACCOUNT, text)).toBeUndefined();
      }),
    );
    expect(messages.decode(ACCOUNT, `${message}\n`)).toBeUndefined();
  });

  describe("that would be longer than STS takes them", () => {
    const random = (bytes: number) => randomBytes(bytes).toString("base64");
    const { matchedStatements, context } = denied();
    const conditionsOf = (sizes: readonly number[]) => ({
      items: [
        ...context.conditions.items,
        ...sizes.map((size, at) => ({ key: `s3:key-${at}`, values: values(random(size)) })),
      ],
    });
    const read = (details: DenialDetails): DenialDetails => {
      const message = messages.encode(ACCOUNT, details);
      expect(message.length).toBeLessThanOrEqual(10_240);
      return JSON.parse(messages.decode(ACCOUNT, message) ?? "") as DenialDetails;
    };

    it("keep the statement and what is short of the request", () => {
      const whole = {
        ...denied(),
        context: { ...context, conditions: conditionsOf([20, 40_000, 30, 9000]) },
      };
      const found = read(whole);
      expect(found).toMatchObject({ explicitDeny: true, matchedStatements });
      expect(whole.context.conditions.items).toEqual(
        expect.arrayContaining([...found.context.conditions.items]),
      );
      expect(found.context.conditions.items.length).toBeGreaterThan(2);
      expect(found.context.conditions.items).not.toContainEqual(expect.objectContaining({ key: "s3:key-1" }));
    });

    it("keep what they were of the request where the statement is too long by itself", () => {
      const resources = Array.from({ length: 200 }, () => `arn:aws:s3:::${random(48)}`);
      const items = matchedStatements.items.map((one) => ({ ...one, resources: values(...resources) }));
      const whole = { ...denied(), matchedStatements: { items } };
      expect(read(whole)).toEqual({ ...whole, matchedStatements: { items: [] } });
    });

    it("tell who wanted what, however long all of it is", () => {
      const arn = `arn:aws:sts::${ACCOUNT}:federated-user/${random(1500)}`;
      const resource = `arn:aws:s3:::${random(100)}/${random(768)}`;
      const principal = { id: random(60), arn };
      const conditions = conditionsOf(Array.from({ length: 100 }, () => 2000));
      const items = matchedStatements.items.map((one) => ({ ...one, resources: values(random(20_000)) }));
      const whole = {
        ...denied(),
        matchedStatements: { items },
        context: { ...context, principal, resource, conditions },
      };
      const found = read(whole);
      expect(found.explicitDeny).toBe(true);
      expect(found.context).toMatchObject({ principal, resource, action: "s3:PutObject" });
    });
  });
});
