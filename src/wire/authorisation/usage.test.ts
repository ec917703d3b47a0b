import { expect, it } from "vitest";
import { rootPrincipal, servicePrincipal, type RolePrincipal, type UserPrincipal } from "#core/principal";
import type { Answered } from "./types.ts";
import { PermissionUsage } from "./usage.ts";

const account = "111111111111";

function role(id: string, session = "s"): RolePrincipal {
  const roleArn = `arn:aws:iam::${account}:role/${id}`;
  return { kind: "assumed-role", account, arn: `${roleArn}/${session}`, userId: `${id}:${session}`, roleArn };
}

function user(id: string, accessKeyId?: string): UserPrincipal {
  const arn = `arn:aws:iam::${account}:user/${id}`;
  const key = accessKeyId === undefined ? {} : { accessKeyId };
  return { kind: "user", account, arn, userId: id, userName: id, ...key };
}

it("notes the last call of each action, of all sessions of a role together", () => {
  const usage = new PermissionUsage();
  usage.called("SendMessage", "sqs:sendmessage", role("AROA", "one"), "eu-west-1", 1);
  usage.called("SendMessage", "sqs:sendmessage", role("AROA", "two"), "us-east-1", 2);
  usage.called("HeadObject", "s3:GetObject", role("AROA"), "us-east-1", 3);
  const { holders, keys } = usage.takeCalls();
  expect([...holders.keys()]).toEqual(["AROA"]);
  expect([...(holders.get("AROA")?.actions.values() ?? [])]).toEqual([
    { name: "sqs:SendMessage", time: 2, region: "us-east-1" },
    { name: "s3:GetObject", time: 3, region: "us-east-1" },
  ]);
  expect(keys.size).toBe(0);
  expect(usage.calls.holders.size).toBe(0);
});

it("notes what a user's own key signed, and of federated users who asked for them", () => {
  const usage = new PermissionUsage();
  const issuer = user("AIDA");
  usage.called("Publish", "SNS:Publish", user("AIDA", "AKIA"), "eu-west-1", 1);
  const [arn, userId] = ["arn:aws:sts::111111111111:federated-user/f", `${account}:f`];
  const session = { issuedAt: 0 };
  usage.called(
    "ListTopics",
    "SNS:ListTopics",
    { kind: "federated-user", account, arn, userId, issuer, session },
    "eu-west-1",
    2,
  );
  usage.called("ListTopics", "SNS:ListTopics", rootPrincipal(account), "eu-west-1", 3);
  usage.called("Publish", "SNS:Publish", servicePrincipal("s3.amazonaws.com", { account }), "eu-west-1", 4);
  expect([...usage.calls.holders.keys()]).toEqual(["AIDA"]);
  expect(usage.calls.holders.get("AIDA")?.actions.size).toBe(2);
  expect([...usage.calls.keys]).toMatchObject([["AKIA", { service: "sns", time: 1, region: "eu-west-1" }]]);
});

it("puts back what could not be kept, behind what was called since", () => {
  const usage = new PermissionUsage();
  const call = (action: string, time: number) =>
    usage.called(action.slice(4), action, user("AIDA", "AKIA"), "eu-west-1", time);
  call("sqs:ListQueues", 1);
  call("sqs:SendMessage", 2);
  const taken = usage.takeCalls();
  call("sqs:ListQueues", 3);
  usage.putBack(taken);
  const { holders, keys } = usage.calls;
  const actions = [...(holders.get("AIDA")?.actions.values() ?? [])];
  expect(actions.map(({ name, time }) => [name, time])).toEqual([
    ["sqs:ListQueues", 3],
    ["sqs:SendMessage", 2],
  ]);
  expect(keys.get("AKIA")?.time).toBe(3);
});

it("holds so many callers and no more", () => {
  const usage = new PermissionUsage();
  for (let index = 0; index < 20_100; index++)
    usage.called("ListQueues", "sqs:ListQueues", user(`AIDA${index}`, `AKIA${index}`), "eu-west-1", index);
  expect([usage.calls.holders.size, usage.calls.keys.size]).toEqual([20_000, 20_000]);
  usage.clear();
  expect([usage.calls.holders.size, usage.calls.keys.size]).toEqual([0, 0]);
});

it("adds up what was used, and forgets the oldest of whoever used the most", () => {
  const usage = new PermissionUsage();
  const record = (id: string, action: string, resource: string, time: number) => {
    const question = { action, resource };
    const decision: Answered["decision"] = { allowed: true, by: undefined };
    const principal = role(id);
    usage.record({ service: "s3", operation: "", region: "", principal, question, decision, time });
  };
  record("few", "s3:GetObject", "arn:aws:s3:::b/1", 1);
  record("few", "s3:PutObject", "arn:aws:s3:::b/1", 2);
  record("few", "s3:GetObject", "arn:aws:s3:::b/1", 3);
  const few = [
    { action: "s3:GetObject", allowed: true, count: 2, first: 1, last: 3 },
    { action: "s3:PutObject", allowed: true, count: 1, first: 2, last: 2 },
  ].map((use) => ({ holder: `arn:aws:iam::${account}:role/few`, resource: "arn:aws:s3:::b/1", ...use }));
  expect(usage.uses()).toEqual(few);
  expect(usage.complete).toBe(true);
  for (let n = 0; n < 20_000; n++) record("many", "s3:GetObject", `arn:aws:s3:::b/${n}`, n);
  const uses = usage.uses();
  expect(uses.filter(({ holder }) => holder.endsWith("few"))).toEqual(few);
  expect(uses.length).toBeLessThanOrEqual(5000);
  expect(uses.length).toBeGreaterThan(4000);
  expect(uses.at(-1)?.resource).toBe("arn:aws:s3:::b/19999");
  expect(usage.complete).toBe(false);
  usage.clear();
  expect(usage.uses()).toEqual([]);
});
