import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  AccessAnalyzerClient,
  GetGeneratedPolicyCommand,
  ListAnalyzersCommand,
  ListPolicyGenerationsCommand,
  paginateValidatePolicy,
  StartPolicyGenerationCommand,
  ValidatePolicyCommand,
} from "@aws-sdk/client-accessanalyzer";
import { AttachRolePolicyCommand, CreateRoleCommand, IAMClient } from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { ensureBuilt } from "../support/built.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { policyDocument, sessionOf, userWith } from "../support/principals.ts";
import { awsVariables, run } from "../support/tools.ts";

let platform: TestPlatform;
let analyzer: AccessAnalyzerClient;

beforeAll(async () => {
  platform = await startPlatform();
  analyzer = new AccessAnalyzerClient(clientFor(platform.url));
});
afterAll(() => platform.stop());

it("tells what is wrong with a policy, page by page", async () => {
  const input = {
    policyType: "IDENTITY_POLICY" as const,
    policyDocument: policyDocument(
      { Effect: "Allow", Action: ["iam:PassRole", "s3:GetObjects"], Resource: "*" },
      { Effect: "Allow", Action: "lambda:*", Resource: "arn:aws:lambda:us-east-1::function:f" },
    ),
  };
  const pages = [];
  for await (const { findings } of paginateValidatePolicy({ client: analyzer, pageSize: 2 }, { ...input }))
    pages.push(findings?.map(({ issueCode, findingType }) => `${findingType} ${issueCode}`));
  expect(pages).toEqual([
    ["ERROR INVALID_ACTION", "ERROR MISSING_ARN_ACCOUNT"],
    ["SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE"],
  ]);
  const { findings } = await analyzer.send(new ValidatePolicyCommand(input));
  expect(findings?.[0]?.locations).toEqual([
    {
      path: [{ value: "Statement" }, { index: 0 }, { value: "Action" }, { index: 1 }],
      span: {
        start: { line: 1, column: 80, offset: 80 },
        end: { line: 1, column: 95, offset: 95 },
      },
    },
  ]);
  await expect(
    analyzer.send(new ValidatePolicyCommand({ ...input, policyType: "OTHER" as never })),
  ).rejects.toMatchObject({ name: "ValidationException", reason: "fieldValidationFailed" });
});

it("generates the policy that thaw iam suggest prints", async () => {
  const iam = new IAMClient(clientFor(platform.url));
  const trust = { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" };
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName: "worker", AssumeRolePolicyDocument: policyDocument(trust) }),
  );
  const principalArn = Role?.Arn;
  const PolicyArn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess";
  await iam.send(new AttachRolePolicyCommand({ RoleName: "worker", PolicyArn }));
  const root = new SQSClient(clientFor(platform.url));
  const { QueueUrl } = await root.send(new CreateQueueCommand({ QueueName: "q" }));
  const session = await sessionOf(platform.url, "worker");
  await new SQSClient(session).send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  await expect(new LambdaClient(session).send(new ListFunctionsCommand({}))).rejects.toThrow(
    "not authorized",
  );

  const { jobId } = await analyzer.send(
    new StartPolicyGenerationCommand({ policyGenerationDetails: { principalArn } }),
  );
  const { jobDetails, generatedPolicyResult } = await analyzer.send(new GetGeneratedPolicyCommand({ jobId }));
  expect(jobDetails).toMatchObject({ jobId, status: "SUCCEEDED", completedOn: expect.any(Date) });
  expect(generatedPolicyResult?.properties).toEqual({ principalArn, isComplete: true });
  const policies = generatedPolicyResult?.generatedPolicies?.map(
    ({ policy = "" }) => JSON.parse(policy) as object,
  );
  expect(policies).toMatchObject([
    { Statement: [{ Effect: "Allow", Resource: ["arn:aws:sqs:us-east-1:000000000000:q"] }] },
  ]);
  const { stdout } = await run(
    process.execPath,
    [join(await ensureBuilt(), "main.js"), "iam", "suggest", "worker", "--json"],
    { env: awsVariables(platform.url) },
  );
  expect(policies).toEqual([(JSON.parse(stdout) as { readonly policy: object }).policy]);
  const { policyGenerations } = await analyzer.send(new ListPolicyGenerationsCommand({ principalArn }));
  expect(policyGenerations).toMatchObject([{ jobId, principalArn, status: "SUCCEEDED" }]);
  // What it generates has nothing that it would find wrong.
  const policyDocumentOf = JSON.stringify(policies?.[0]);
  const checked = { policyDocument: policyDocumentOf, policyType: "IDENTITY_POLICY" as const };
  expect((await analyzer.send(new ValidatePolicyCommand(checked))).findings).toEqual([]);
});

it("asks for its own permissions, and for that to pass on a role", async () => {
  const nobody = new AccessAnalyzerClient(await userWith(platform.url, "nobody", []));
  const input = { policyDocument: "{}", policyType: "IDENTITY_POLICY" as const };
  await expect(nobody.send(new ValidatePolicyCommand(input))).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      "not authorized to perform: access-analyzer:ValidatePolicy on resource: arn:aws:access-analyzer:us-east-1:000000000000:* because",
    ),
  });
  const some = new AccessAnalyzerClient(await userWith(platform.url, "some", ["access-analyzer:*"]));
  expect((await some.send(new ValidatePolicyCommand(input))).findings).not.toEqual([]);
  const accessRole = "arn:aws:iam::000000000000:role/trail";
  const start = new StartPolicyGenerationCommand({
    policyGenerationDetails: { principalArn: "arn:aws:iam::000000000000:user/some" },
    cloudTrailDetails: { trails: [], accessRole, startTime: new Date(0) },
  });
  await expect(some.send(start)).rejects.toThrow(`iam:PassRole on resource: ${accessRole}`);
});

it("says so of what is not built", async () => {
  await expect(analyzer.send(new ListAnalyzersCommand({}))).rejects.toMatchObject({
    name: "NotImplementedException",
    message: "The operation accessanalyzer:ListAnalyzers is not implemented here.",
  });
});
