import type { DescribeResourcePoliciesResponse } from "@aws-sdk/client-cloudwatch-logs";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { type Principal, rootPrincipal, servicePrincipal } from "#core/principal";
import { listOf } from "#policy/document";
import { testCall } from "../../../test/support/call.ts";
import { createLogsFixture } from "../../../test/support/logs-service.ts";
import { withStorage } from "../../../test/support/storage.ts";

const storage = withStorage();
const ARN = "arn:aws:logs:us-east-1:111111111111:log-group";

function open() {
  const clock = new ManualClock();
  const caller = { call: () => Promise.resolve({}) };
  const { service } = createLogsFixture(storage(), clock, caller);
  const ask = async (operation: string, input: object) =>
    (await service.operations[operation]?.(input as never, testCall())) as Record<string, never>;
  return { clock, service, ask };
}

const EVENTS = servicePrincipal("events.amazonaws.com", { account: "111111111111" });

const policy = (Resource: string) =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "same",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "logs:PutLogEvents",
        Resource,
      },
    ],
  });

it("keeps ten resource policies, in order, and judges by all of them", async () => {
  const { clock, service, ask } = open();
  const put = (policyName: string, policyDocument = policy(`${ARN}:/${policyName}:*`)) =>
    ask("PutResourcePolicy", { policyName, policyDocument });
  const { authorisation } = service;
  expect(authorisation?.resourcePolicy?.(`${ARN}:/a:log-stream:s`, EVENTS)).toBeUndefined();
  for (let n = 0; n < 9; n++) await put(`p${n}`);
  const outcomes = await Promise.allSettled(["x", "y", "z"].map((name) => put(name)));
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
  await expect(put("more")).rejects.toMatchObject({
    code: "LimitExceededException",
    message: "Resource limit exceeded.",
  });
  expect(await put("x")).toEqual({
    resourcePolicy: {
      policyName: "x",
      policyDocument: policy(`${ARN}:/x:*`),
      lastUpdatedTime: clock.now(),
      policyScope: "ACCOUNT",
    },
  });
  const first = await ask("DescribeResourcePolicies", { limit: 9 });
  const { nextToken } = first;
  expect(await ask("DescribeResourcePolicies", { nextToken })).toMatchObject({
    resourcePolicies: [{ policyName: "x" }],
  });
  const all = authorisation?.resourcePolicy?.(`${ARN}:/a:log-stream:s`, EVENTS);
  expect(all).toMatchObject({ Statement: { length: 10 } });
  expect(authorisation?.resourcePolicy?.(`${ARN}:/b:log-stream:s`, EVENTS)).toBe(all);
  await ask("DeleteResourcePolicy", { policyName: "x" });
  expect(authorisation?.resourcePolicy?.(`${ARN}:/a:log-stream:s`, EVENTS)).toMatchObject({
    Statement: { length: 9 },
  });
  await expect(ask("DeleteResourcePolicy", { policyName: "x" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await expect(put("x", "{")).rejects.toMatchObject({ code: "InvalidParameterException" });
  await service.close();
});

it("keeps a policy for each log group, which counts for that group alone and goes with it", async () => {
  const { clock, service, ask } = open();
  const of = (group: string, principal: Principal = EVENTS) =>
    service.authorisation?.resourcePolicy?.(`${ARN}:${group}:log-stream:s`, principal);
  const resources = (found: ReturnType<typeof of>) =>
    typeof found === "object" ? listOf(found.Statement).map(({ Resource }) => Resource) : found;
  const put = (resourceArn: string, Resource: string, expectedRevisionId?: string) =>
    ask("PutResourcePolicy", { resourceArn, policyDocument: policy(Resource), expectedRevisionId });
  await ask("CreateLogGroup", { logGroupName: "/a" });
  await ask("CreateLogGroup", { logGroupName: "/b" });

  const { resourcePolicy, revisionId } = await put(`${ARN}:/a:*`, "first");
  expect(resourcePolicy).toEqual({
    policyDocument: policy("first"),
    lastUpdatedTime: clock.now(),
    policyScope: "RESOURCE",
    resourceArn: `${ARN}:/a`,
    revisionId,
  });
  expect([resources(of("/a")), of("/b")]).toEqual([["first"], undefined]);
  expect(of("/a", rootPrincipal("111111111111"))).toBeUndefined();
  await ask("PutResourcePolicy", { policyName: "p", policyDocument: policy("account") });
  expect([resources(of("/a")), resources(of("/b"))]).toEqual([["account", "first"], ["account"]]);
  expect(of("/a")).toBe(of("/a"));

  // One that somebody else changed meanwhile stays as it is.
  for (const expected of [undefined, "another"])
    await expect(put(`${ARN}:/a`, "lost", expected)).rejects.toMatchObject({
      code: "OperationAbortedException",
    });
  await expect(put(`${ARN}:/b`, "lost", revisionId)).rejects.toMatchObject({
    code: "OperationAbortedException",
  });
  const second = await put(`${ARN}:/a`, "second", revisionId);
  expect(second["revisionId"]).not.toBe(revisionId);
  expect(resources(of("/a"))).toEqual(["account", "second"]);
  await put(`${ARN}:/b`, "b");

  const described = async (input: object) =>
    (await ask("DescribeResourcePolicies", input)) as DescribeResourcePoliciesResponse;
  expect((await described({})).resourcePolicies).toMatchObject([{ policyName: "p" }]);
  const page = await described({ policyScope: "RESOURCE", limit: 1 });
  expect(page.resourcePolicies).toMatchObject([{ resourceArn: `${ARN}:/a` }]);
  expect(await described({ policyScope: "RESOURCE", limit: 1, nextToken: page.nextToken })).toEqual({
    resourcePolicies: [expect.objectContaining({ resourceArn: `${ARN}:/b` })],
  });
  expect((await described({ resourceArn: `${ARN}:/b` })).resourcePolicies).toMatchObject([
    { policyDocument: policy("b") },
  ]);
  expect((await described({ resourceArn: `${ARN}:/c` })).resourcePolicies).toEqual([]);

  const remove = (expectedRevisionId?: string) =>
    ask("DeleteResourcePolicy", { resourceArn: `${ARN}:/a`, expectedRevisionId });
  await expect(remove()).rejects.toMatchObject({ code: "InvalidParameterException" });
  await expect(remove(revisionId)).rejects.toMatchObject({ code: "OperationAbortedException" });
  await remove(second["revisionId"]);
  expect(resources(of("/a"))).toEqual(["account"]);
  await expect(remove(second["revisionId"])).rejects.toMatchObject({ code: "ResourceNotFoundException" });

  await ask("DeleteLogGroup", { logGroupName: "/b" });
  await ask("CreateLogGroup", { logGroupName: "/b" });
  expect(resources(of("/b"))).toEqual(["account"]);
  await service.close();
});

it("tells a resource policy as AWS was recorded to do", async () => {
  const { service, ask } = open();
  const statement = { Sid: "s", Effect: "Allow", Action: "logs:PutLogEvents", Resource: "log_arn" };
  const put = {
    Version: "2012-10-17",
    Statement: [{ ...statement, Principal: { Service: ["route53.amazonaws.com"] } }],
  };
  await ask("PutResourcePolicy", { policyName: "p", policyDocument: JSON.stringify(put) });
  const { resourcePolicies = [] } = (await ask(
    "DescribeResourcePolicies",
    {},
  )) as DescribeResourcePoliciesResponse;
  expect(JSON.parse(resourcePolicies[0]?.policyDocument ?? "")).toEqual({
    ...put,
    Statement: [{ ...statement, Principal: { Service: "route53.amazonaws.com" } }],
  });
  await service.close();
});

it.each([
  [{ policyName: "p", resourceArn: `${ARN}:/g` }, "InvalidParameterException"],
  [{}, "InvalidParameterException"],
  [{ policyName: "p", expectedRevisionId: "1" }, "InvalidParameterException"],
  [{ resourceArn: "/g" }, "InvalidParameterException"],
  [{ resourceArn: "arn:aws:s3:::b" }, "InvalidParameterException"],
  [{ resourceArn: `${ARN}:/missing` }, "ResourceNotFoundException"],
  [{ resourceArn: ARN.replace("us-east-1", "eu-west-1") + ":/g" }, "ResourceNotFoundException"],
  [{ resourceArn: `${ARN}:/g`, policyDocument: "{" }, "InvalidParameterException"],
])("takes no resource policy for %j", async (input, code) => {
  const { service, ask } = open();
  await ask("CreateLogGroup", { logGroupName: "/g" });
  await expect(ask("PutResourcePolicy", { policyDocument: policy("*"), ...input })).rejects.toMatchObject({
    code,
  });
  await service.close();
});

it("refuses destinations and keys that are not there, in AWS's words", async () => {
  const { service, ask } = open();
  const destination = (targetArn: string) =>
    ask("PutDestination", { destinationName: "d", targetArn, roleArn: "arn:aws:iam::111111111111:role/r" });
  const filter = (destinationArn: string) =>
    ask("PutSubscriptionFilter", { logGroupName: "/g", filterName: "f", filterPattern: "", destinationArn });
  await ask("CreateLogGroup", { logGroupName: "/g" });
  const stream = "arn:aws:kinesis:us-east-1:111111111111:stream/s";
  const text =
    "Could not deliver test message to specified Kinesis stream. Check if the given kinesis stream is in ACTIVE state.";
  await expect(destination(stream)).rejects.toMatchObject({
    code: "InvalidParameterException",
    message: text,
  });
  await expect(filter(stream)).rejects.toMatchObject({ code: "InvalidParameterException", message: text });
  await expect(destination("arn:aws:firehose:us-east-1:111111111111:deliverystream/s")).rejects.toThrow(
    "specified Firehose stream",
  );
  await expect(filter("arn:aws:logs:us-east-1:111111111111:destination:d")).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await expect(ask("DeleteDestination", { destinationName: "d" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  expect(await ask("DescribeDestinations", {})).toEqual({ destinations: [] });
  const kmsKeyId = "arn:aws:kms:us-east-1:111111111111:key/k";
  await expect(ask("AssociateKmsKey", { logGroupName: "/g", kmsKeyId })).rejects.toThrow(
    `The specified KMS key does not exist or is not allowed to be used with LogGroup '${ARN}:/g'`,
  );
  await expect(ask("AssociateKmsKey", { kmsKeyId })).rejects.toMatchObject({
    code: "InvalidParameterException",
  });
  await ask("DisassociateKmsKey", { resourceIdentifier: `${ARN}:/g` });
  await expect(ask("DisassociateKmsKey", { logGroupName: "/h" })).rejects.toMatchObject({
    code: "ResourceNotFoundException",
  });
  await service.close();
});

it("lists log groups by pattern, class and tags", async () => {
  const { service, ask } = open();
  for (const [logGroupName, tags] of [
    ["/aws/lambda/a", { stage: "prod", team: "x" }],
    ["/aws/lambda/b", { stage: "dev" }],
    ["/other/lambda", {}],
  ] as const)
    await ask("CreateLogGroup", { logGroupName, tags });
  await ask("CreateLogGroup", { logGroupName: "/rare", logGroupClass: "INFREQUENT_ACCESS" });
  const names = async (input: object) => {
    const { logGroups } = (await ask("ListLogGroups", input)) as unknown as {
      logGroups: readonly { logGroupName: string }[];
    };
    return logGroups.map(({ logGroupName }) => logGroupName);
  };
  expect(await names({ logGroupNamePattern: "^/aws/lambda|^/rare" })).toEqual([
    "/aws/lambda/a",
    "/aws/lambda/b",
    "/rare",
  ]);
  expect(await names({ logGroupNamePattern: "lambda" })).toHaveLength(3);
  expect(await names({ logGroupClass: "INFREQUENT_ACCESS" })).toEqual(["/rare"]);
  expect(await names({ logGroupTags: [{ key: "stage", values: ["pr*"] }, { key: "team" }] })).toEqual([
    "/aws/lambda/a",
  ]);
  expect(await names({ logGroupTags: [{ key: "stage", values: ["!prod"] }] })).toEqual(["/aws/lambda/b"]);
  const { nextToken } = await ask("ListLogGroups", { limit: 3 });
  expect(await ask("ListLogGroups", { nextToken })).toEqual({
    logGroups: [{ logGroupName: "/rare", logGroupArn: `${ARN}:/rare`, logGroupClass: "INFREQUENT_ACCESS" }],
  });
  await service.close();
});

it("tells which fields a group's latest events have, and a query's groups", async () => {
  const { clock, service, ask } = open();
  const group = { logGroupName: "/g" };
  await ask("CreateLogGroup", group);
  await ask("CreateLogStream", { ...group, logStreamName: "s" });
  const event = (message: string, at = clock.now()) => ({ timestamp: at, message });
  const logEvents = [
    event('{"old":1}', clock.now() - 16 * 60_000),
    event('{"level":"INFO","at":{"x":1}}'),
    event('{"level":"INFO"}'),
    event("text"),
  ];
  await ask("PutLogEvents", { ...group, logStreamName: "s", logEvents });
  const { logGroupFields } = await ask("GetLogGroupFields", group);
  expect(logGroupFields).toEqual([
    ...["@ingestionTime", "@log", "@logStream", "@message", "@timestamp"].map((name) => ({
      name,
      percent: 100,
    })),
    { name: "level", percent: 67 },
    { name: "at.x", percent: 33 },
  ]);
  const time = Math.floor(clock.now() / 1000) - 16 * 60;
  const fields = (await ask("GetLogGroupFields", { ...group, time }))["logGroupFields"];
  expect(fields).toContainEqual({ name: "old", percent: 100 });
  const { queryId } = await ask("StartQuery", {
    ...group,
    startTime: 0,
    endTime: 1,
    queryString: "fields @message",
  });
  expect(await ask("ListLogGroupsForQuery", { queryId })).toEqual({ logGroupIdentifiers: ["/g"] });
  await service.close();
});
