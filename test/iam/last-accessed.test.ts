import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  GenerateServiceLastAccessedDetailsCommand,
  GetAccessKeyLastUsedCommand,
  GetRoleCommand,
  GetServiceLastAccessedDetailsCommand,
  GetServiceLastAccessedDetailsWithEntitiesCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, it } from "vitest";
import { create, invoke, lambdaFor, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform } from "../support/platform.ts";
import { sessionOf } from "../support/principals.ts";

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const RoleArn = "arn:aws:iam::000000000000:role/worker";
const PolicyArn = "arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess";

interface Key {
  readonly AccessKeyId?: string | undefined;
  readonly SecretAccessKey?: string | undefined;
  readonly SessionToken?: string | undefined;
}

/** Settings of a client that signs with a key, in a region of its own. */
function signedBy(url: string, key: Key | undefined, region: string) {
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken } = key ?? {};
  return {
    ...clientFor(url),
    region,
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
    },
  };
}

/** A role that may send messages and a user that may read functions; both do, and more that they may not. */
async function callAround(url: string): Promise<string | undefined> {
  const iam = new IAMClient(clientFor(url));
  const trust = { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName: "worker", AssumeRolePolicyDocument: document(trust) }));
  const PolicyDocument = document({ Effect: "Allow", Action: ["sqs:*", "sns:*"], Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "worker", PolicyName: "p", PolicyDocument }));
  await iam.send(new CreateUserCommand({ UserName: "ann" }));
  await iam.send(new AttachUserPolicyCommand({ UserName: "ann", PolicyArn }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: "ann" }));

  const { QueueUrl } = await new SQSClient({ ...clientFor(url), region: "eu-west-1" }).send(
    new CreateQueueCommand({ QueueName: "q" }),
  );
  const role = { ...(await sessionOf(url, "worker")), region: "eu-west-1" };
  await new SQSClient(role).send(new SendMessageCommand({ QueueUrl, MessageBody: "x" }));
  await expect(new LambdaClient(role).send(new ListFunctionsCommand({}))).rejects.toThrow("not authorized");
  const user = signedBy(url, AccessKey, "eu-north-1");
  await new LambdaClient(user).send(new ListFunctionsCommand({}));
  // Nobody needs a permission for this one.
  await new STSClient(user).send(new GetCallerIdentityCommand({}));
  return AccessKey?.AccessKeyId;
}

it("tells of what was really called, and still does after a restart", async () => {
  const data = mkdtempSync(join(tmpdir(), "thaw-last-accessed-"));
  let platform = await startPlatform(["--data", data]);
  try {
    const AccessKeyId = await callAround(platform.url);
    for (const restarted of [false, true]) {
      if (restarted) {
        await platform.stop();
        platform = await startPlatform(["--data", data]);
      }
      const iam = new IAMClient(clientFor(platform.url));
      const { Role } = await iam.send(new GetRoleCommand({ RoleName: "worker" }));
      expect(Role?.RoleLastUsed).toEqual({ LastUsedDate: expect.any(Date) as Date, Region: "eu-west-1" });
      const { UserName, AccessKeyLastUsed } = await iam.send(
        new GetAccessKeyLastUsedCommand({ AccessKeyId }),
      );
      expect([UserName, AccessKeyLastUsed?.ServiceName, AccessKeyLastUsed?.Region]).toEqual([
        "ann",
        "sts",
        "eu-north-1",
      ]);

      const report = { Arn: RoleArn, Granularity: "ACTION_LEVEL" } as const;
      const { JobId } = await iam.send(new GenerateServiceLastAccessedDetailsCommand(report));
      const ofRole = await iam.send(new GetServiceLastAccessedDetailsCommand({ JobId }));
      expect(ofRole).toMatchObject({
        JobStatus: "COMPLETED",
        ServicesLastAccessed: [
          { ServiceName: "Amazon SNS", ServiceNamespace: "sns", TotalAuthenticatedEntities: 0 },
          {
            ServiceNamespace: "sqs",
            LastAuthenticatedEntity: RoleArn,
            LastAuthenticatedRegion: "eu-west-1",
            TrackedActionsLastAccessed: [{ ActionName: "SendMessage", LastAccessedEntity: RoleArn }],
          },
        ],
      });
      const ofPolicy = await iam.send(new GenerateServiceLastAccessedDetailsCommand({ Arn: PolicyArn }));
      const { EntityDetailsList } = await iam.send(
        new GetServiceLastAccessedDetailsWithEntitiesCommand({
          JobId: ofPolicy.JobId,
          ServiceNamespace: "lambda",
        }),
      );
      expect(EntityDetailsList).toMatchObject([
        { EntityInfo: { Name: "ann", Type: "USER" }, LastAuthenticated: expect.any(Date) as Date },
      ]);
    }
  } finally {
    await platform.stop();
    rmSync(data, { recursive: true, force: true });
  }
});

it("counts what Lambda does as a function's role", async () => {
  const platform = await startPlatform();
  try {
    const lambda = lambdaFor(platform.url);
    const iam = new IAMClient(clientFor(platform.url));
    // The role for first steps, which may write logs.
    await create(lambda, "writer", 'exports.handler = async () => console.log("written");');
    await invoke(lambda, "writer");
    await until(async () => {
      const Arn = "arn:aws:iam::000000000000:role/thaw-basic-execution";
      const report = { Arn, Granularity: "ACTION_LEVEL" } as const;
      const { JobId } = await iam.send(new GenerateServiceLastAccessedDetailsCommand(report));
      const { ServicesLastAccessed = [] } = await iam.send(
        new GetServiceLastAccessedDetailsCommand({ JobId }),
      );
      const logs = ServicesLastAccessed.find(({ ServiceNamespace }) => ServiceNamespace === "logs");
      expect(logs?.TrackedActionsLastAccessed).toMatchObject([
        { ActionName: "CreateLogGroup" },
        { ActionName: "CreateLogStream" },
        { ActionName: "PutLogEvents" },
      ]);
    });
  } finally {
    await platform.stop();
  }
});
