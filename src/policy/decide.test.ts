import { describe, expect, it } from "vitest";
import { compilePolicy } from "./compile.ts";
import { decide, NO_POLICIES } from "./decide.ts";
import { denialText } from "./denial.ts";
import type { StatementElement } from "./document.ts";
import { PolicySet } from "./policy-set.ts";
import type { Requester } from "./requester.ts";

const ACCOUNT = "111111111111";
const FUNCTION = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:f`;
const ROLE = `arn:aws:iam::${ACCOUNT}:role/r`;
const session: Requester = {
  kind: "role",
  account: ACCOUNT,
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/r/s`,
  roleArn: ROLE,
};
const sns: Requester = { kind: "service", account: ACCOUNT, arn: "sns.amazonaws.com" };

function set(...Statement: StatementElement[]): PolicySet {
  return new PolicySet([compilePolicy("p", { Version: "2012-10-17", Statement })]);
}

const allow: StatementElement = { Effect: "Allow", Action: "lambda:*", Resource: "*" };
const deny: StatementElement = { Effect: "Deny", Action: "lambda:Invoke*", Resource: FUNCTION };
const nothing = set({ Effect: "Allow", Action: "s3:*", Resource: "*" });

function ask(
  requester: Requester,
  own: Partial<typeof NO_POLICIES>,
  policy?: PolicySet,
  owner = ACCOUNT,
  keys: Readonly<Record<string, readonly string[]>> = {},
) {
  const request = {
    action: "lambda:invokefunction",
    resource: FUNCTION,
    requester,
    keys: (name: string) => keys[name],
  };
  const decision = decide(request, { ...NO_POLICIES, ...own }, { account: owner, policy });
  return decision.allowed
    ? "allowed"
    : denialText(requester.arn, "lambda:InvokeFunction", FUNCTION, decision).replace(
        /^.* on resource: \S+ /,
        "",
      );
}

describe("denials in AWS's words", () => {
  it("names the kind of policy that denies or should have allowed", () => {
    expect(ask(session, {})).toBe("because no identity-based policy allows the lambda:InvokeFunction action");
    expect(ask(session, { identity: set(allow, deny) })).toBe(
      "with an explicit deny in an identity-based policy",
    );
    expect(ask(session, { identity: set(allow) }, set({ ...deny, Principal: "*" }))).toBe(
      "with an explicit deny in a resource-based policy",
    );
    expect(ask(session, { identity: set(allow), boundary: nothing })).toBe(
      "because no permissions boundary allows the lambda:InvokeFunction action",
    );
    expect(ask(session, { identity: set(allow), session: nothing })).toBe(
      "because no session policy allows the lambda:InvokeFunction action",
    );
    expect(ask(sns, {})).toBe("because no resource-based policy allows the lambda:InvokeFunction action");
    expect(ask(session, { identity: set(allow) }, undefined, "222222222222")).toBe(
      "because no resource-based policy allows the lambda:InvokeFunction action",
    );
  });

  it("names the managed policy that denies", () => {
    const by = (policy: string) =>
      denialText("arn:u", "s3:GetObject", "arn:r", {
        kind: "identity",
        statement: { policy, index: 0, sid: undefined },
      });
    const text =
      "User: arn:u is not authorized to perform: s3:GetObject on resource: arn:r with an explicit deny in an identity-based policy";
    expect(by("inline")).toBe(text);
    expect(by("arn:aws:iam::111111111111:policy/p")).toBe(`${text}: arn:aws:iam::111111111111:policy/p`);
  });

  it("leaves out what is no resource", () => {
    expect(
      denialText("arn:u", "sts:GetSessionToken", undefined, { kind: "boundary", statement: undefined }),
    ).toBe(
      "User: arn:u is not authorized to perform: sts:GetSessionToken because no permissions boundary allows the sts:GetSessionToken action",
    );
  });
});

describe("resource policies", () => {
  const to = (Principal: StatementElement["Principal"]) => set({ ...allow, Principal: Principal ?? "*" });

  it("need nothing else within the account where they name the requester", () => {
    expect(ask(session, {}, to({ AWS: session.arn }))).toBe("allowed");
    expect(ask(session, { boundary: nothing, session: nothing }, to("*"))).toBe("allowed");
    expect(ask(session, {}, to({ AWS: ROLE }))).toBe("allowed");
    expect(ask(session, { boundary: nothing }, to({ AWS: ROLE }))).toMatch(/permissions boundary/);
    expect(ask(session, {}, to({ AWS: ACCOUNT }))).toMatch(/identity-based/);
    expect(ask(session, { identity: set(allow) }, to({ AWS: ACCOUNT }))).toBe("allowed");
  });

  it("alone decide about services", () => {
    const policy = set({
      ...allow,
      Principal: { Service: "sns.amazonaws.com" },
      Condition: { ArnLike: { "AWS:SourceArn": "arn:aws:sns:us-east-1:*:topic" } },
    });
    const from = (arn: string) => ask(sns, {}, policy, ACCOUNT, { "aws:sourcearn": [arn] });
    expect(from(`arn:aws:sns:us-east-1:${ACCOUNT}:topic`)).toBe("allowed");
    expect(from(`arn:aws:sns:us-east-1:${ACCOUNT}:other`)).toMatch(/resource-based/);
    expect(ask({ ...sns, arn: "s3.amazonaws.com" }, {}, policy)).toMatch(/resource-based/);
  });

  it("may name a service by its region, too", () => {
    const policy = set({ ...allow, Principal: { Service: "logs.us-east-1.amazonaws.com" } });
    const from = (region: string) =>
      ask({ ...sns, arn: "logs.amazonaws.com", regionalName: `logs.${region}.amazonaws.com` }, {}, policy);
    expect(from("us-east-1")).toBe("allowed");
    expect(from("eu-west-1")).toMatch(/resource-based/);
  });

  it("must allow together with the caller's own account's policies across accounts", () => {
    const owner = "222222222222";
    expect(ask(session, {}, to({ AWS: ACCOUNT }), owner)).toMatch(/identity-based/);
    expect(ask(session, { identity: set(allow) }, to({ AWS: ACCOUNT }), owner)).toBe("allowed");
    const root: Requester = { kind: "root", account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root` };
    expect(ask(root, {}, undefined, owner)).toMatch(/resource-based/);
    expect(ask(root, {})).toBe("allowed");
  });
});

it("lets an unknown operator deny, and never allow", () => {
  const Condition = { StringSounds: { "a:b": "c" } };
  expect(ask(session, { identity: set({ ...allow, Condition }) })).toMatch(/no identity-based/);
  expect(ask(session, { identity: set(allow, { ...deny, Condition }) })).toMatch(/explicit deny/);
});
