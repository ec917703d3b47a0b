import type * as client from "@aws-sdk/client-accessanalyzer";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import type { Use } from "#wire/authorisation/usage";
import type { InputOf, OutputOf } from "#wire/operation";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createAnalyzerService } from "./service.ts";

type Analyzer = typeof client;

const storage = withStorage();
const NOW = Date.UTC(2026, 1, 17, 10);
const WORKER = "arn:aws:iam::111111111111:role/worker";
const details = { policyGenerationDetails: { principalArn: WORKER } };

function setUp() {
  const clock = new ManualClock(NOW);
  const used: Use[] = [];
  const usage = { complete: true, uses: () => used };
  const service = createAnalyzerService({
    documents: storage().documents,
    clock,
    ids: systemIds,
    usage,
    holders: { hasHolder: (arn) => arn === WORKER },
  });
  const ask = async <Name extends string>(
    operation: Name,
    input: InputOf<Analyzer, Name>,
    account?: string,
  ) => (await service.operations[operation]?.(input as never, testCall(account))) as OutputOf<Analyzer, Name>;
  const use = (action: string, more: Partial<Use> = {}) =>
    used.push({
      holder: WORKER,
      action,
      resource: "*",
      allowed: true,
      count: 1,
      first: clock.now(),
      last: clock.now(),
      ...more,
    });
  const generate = async (input: Partial<client.StartPolicyGenerationRequest> = {}) => {
    const { jobId } = await ask("StartPolicyGeneration", { ...details, ...input });
    return ask("GetGeneratedPolicy", { jobId });
  };
  const policyOf = ({ generatedPolicyResult }: client.GetGeneratedPolicyResponse) =>
    generatedPolicyResult?.generatedPolicies?.map(({ policy }) => JSON.parse(policy ?? "") as object);
  return { clock, usage, ask, use, generate, policyOf };
}

it("gives findings page by page", async () => {
  const { ask } = setUp();
  const policy = { Statement: Array.from({ length: 5 }, () => ({})) };
  const input = { policyDocument: JSON.stringify(policy), policyType: "IDENTITY_POLICY" as const };
  const whole = await ask("ValidatePolicy", input);
  expect(whole.nextToken).toBeUndefined();
  const first = await ask("ValidatePolicy", { ...input, maxResults: 10 });
  const second = await ask("ValidatePolicy", { ...input, nextToken: first.nextToken });
  expect([...(first.findings ?? []), ...(second.findings ?? [])]).toEqual(whole.findings);
  await expect(ask("ValidatePolicy", { ...input, nextToken: "x" })).rejects.toMatchObject({
    code: "ValidationException",
    members: { reason: "fieldValidationFailed" },
  });
  await expect(ask("ValidatePolicy", { ...input, maxResults: 0 })).rejects.toThrow("maxResults");
  const tooLong = { ...input, policyDocument: " ".repeat(70_000) };
  await expect(ask("ValidatePolicy", tooLong)).rejects.toThrow("longer than 65536");
  const type = { ...input, validatePolicyResourceType: "AWS::S3::Bucket" as const };
  await expect(ask("ValidatePolicy", type)).rejects.toThrow("validatePolicyResourceType");
});

it("generates the smallest policy for what a principal did", async () => {
  const { generate, policyOf, use, usage } = setUp();
  expect(await generate()).toMatchObject({
    jobDetails: { status: "SUCCEEDED", startedOn: new Date(NOW), completedOn: new Date(NOW) },
    generatedPolicyResult: { properties: { principalArn: WORKER, isComplete: true }, generatedPolicies: [] },
  });
  use("s3:GetObject", { resource: "arn:aws:s3:::b/1" });
  use("SNS:Publish", { allowed: false });
  use("sqs:SendMessage", { holder: "arn:aws:iam::111111111111:role/other" });
  usage.complete = false;
  const job = await generate();
  expect(job.generatedPolicyResult?.properties?.isComplete).toBe(false);
  expect(policyOf(job)).toEqual([
    {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: ["arn:aws:s3:::b/1"] }],
    },
  ]);
});

it("looks at the time that it is told to", async () => {
  const { clock, generate, policyOf, use } = setUp();
  use("s3:GetObject");
  clock.advance(60_000);
  use("s3:PutObject");
  const trails = [{ cloudTrailArn: "arn:aws:cloudtrail:us-east-1:111111111111:trail/t", allRegions: true }];
  const window = {
    trails,
    accessRole: WORKER,
    startTime: new Date(NOW + 1),
    endTime: new Date(NOW + 90_000),
  };
  const job = await generate({ cloudTrailDetails: window });
  expect(policyOf(job)).toMatchObject([{ Statement: [{ Action: ["s3:PutObject"] }] }]);
  expect(job.generatedPolicyResult?.properties?.cloudTrailProperties).toEqual({
    trailProperties: trails,
    startTime: window.startTime,
    endTime: window.endTime,
  });
  const backwards = { ...window, endTime: new Date(NOW) };
  await expect(generate({ cloudTrailDetails: backwards })).rejects.toThrow("startTime");
});

it("fails for a principal that is not there, and refuses other accounts'", async () => {
  const { generate, ask } = setUp();
  const gone = "arn:aws:iam::111111111111:role/gone";
  expect(await generate({ policyGenerationDetails: { principalArn: gone } })).toMatchObject({
    jobDetails: { status: "FAILED", jobError: { code: "RESOURCE_NOT_FOUND_ERROR" } },
    generatedPolicyResult: { properties: { principalArn: gone } },
  });
  await expect(ask("StartPolicyGeneration", details, "222222222222")).rejects.toThrow("caller's account");
});

it("keeps jobs for a week, and starts one of a token once", async () => {
  const { ask, clock } = setUp();
  const start = (clientToken: string) => ask("StartPolicyGeneration", { ...details, clientToken });
  const { jobId } = await start("a");
  expect(await start("a")).toEqual({ jobId });
  const other = { policyGenerationDetails: { principalArn: `${WORKER}2` }, clientToken: "a" };
  await expect(ask("StartPolicyGeneration", other)).rejects.toMatchObject({ code: "ConflictException" });
  clock.advance(1000);
  const { jobId: second } = await start("b");
  const list = async (input: client.ListPolicyGenerationsRequest = {}) =>
    (await ask("ListPolicyGenerations", input)).policyGenerations?.map((job) => job.jobId);
  expect(await list()).toEqual([second, jobId]);
  expect(await list({ principalArn: `${WORKER}2` })).toEqual([]);
  const page = await ask("ListPolicyGenerations", { maxResults: 1 });
  expect(await list({ nextToken: page.nextToken })).toEqual([jobId]);
  expect(await ask("CancelPolicyGeneration", { jobId })).toEqual({});
  clock.advance(7 * 24 * 3600 * 1000 - 1000);
  expect(await list()).toEqual([second]);
  await expect(ask("GetGeneratedPolicy", { jobId })).rejects.toMatchObject({ code: "ValidationException" });
  await expect(ask("CancelPolicyGeneration", { jobId })).rejects.toThrow("does not exist");
  // Its token stands for a new job now, and the old one makes room.
  expect((await start("a")).jobId).not.toBe(jobId);
  expect([
    ...storage().documents.list(["111111111111", "us-east-1", "access-analyzer-generation"]),
  ]).toHaveLength(2);
});

it("starts fifty jobs a day", async () => {
  const { ask, clock } = setUp();
  for (let count = 0; count < 50; count++) await ask("StartPolicyGeneration", details);
  await expect(ask("StartPolicyGeneration", details)).rejects.toMatchObject({
    code: "ServiceQuotaExceededException",
    status: 402,
  });
  clock.advance(24 * 3600 * 1000);
  await expect(ask("StartPolicyGeneration", details)).resolves.toMatchObject({ jobId: expect.any(String) });
});

// The policies, the access and the answers are the examples of the official client.
it("tells whether a policy grants some access", async () => {
  const { ask } = setUp();
  const statement = {
    Sid: "AllowJohnDoe",
    Effect: "Allow",
    Principal: { AWS: "arn:aws:iam::123456789012:user/JohnDoe" },
  };
  const check = (
    more: object,
    access: client.Access,
    policyType: client.AccessCheckPolicyType = "RESOURCE_POLICY",
  ) =>
    ask("CheckAccessNotGranted", {
      policyDocument: JSON.stringify({
        Version: "2012-10-17",
        Id: "123",
        Statement: [{ ...statement, ...more }],
      }),
      access: [access],
      policyType,
    });
  const passed = {
    result: "PASS",
    message: "The policy document does not grant access to perform the listed actions or resources.",
  };
  const get = { Action: "s3:GetObject", Resource: "*" };
  expect(await check(get, { actions: ["s3:PutObject"] })).toEqual(passed);
  const put = (bucket: string) => ({ Action: "s3:PutObject", Resource: `arn:aws:s3:::${bucket}/*` });
  const resources = ["arn:aws:s3:::my-bucket/*"];
  expect(await check(put("other"), { resources })).toEqual(passed);
  expect(await check(put("my-bucket"), { resources })).toEqual({
    result: "FAIL",
    message: "The policy document grants access to perform one or more of the listed actions or resources.",
    reasons: [
      {
        description:
          "One or more of the listed actions or resources in the statement with sid: AllowJohnDoe.",
        statementId: "AllowJohnDoe",
        statementIndex: 0,
      },
    ],
  });
  const trust = { Sid: undefined, Action: "sts:AssumeRole" };
  expect(await check(trust, { actions: ["sts:*"] })).toMatchObject({
    result: "FAIL",
    reasons: [{ description: expect.stringContaining("with index: 0."), statementIndex: 0 }],
  });
  const invalid = { code: "InvalidParameterException" };
  await expect(check(get, { actions: ["s3:*"] }, "IDENTITY_POLICY")).rejects.toMatchObject(invalid);
  await expect(check(get, {})).rejects.toMatchObject(invalid);
  const slow = { ...get, Action: Array.from({ length: 3000 }, (_, index) => `s3:*${index}*`) };
  await expect(check(slow, { actions: ["*"] })).rejects.toMatchObject({
    code: "UnprocessableEntityException",
  });
});
