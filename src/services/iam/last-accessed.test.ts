import { expect, it } from "vitest";
import type { Principal, UserPrincipal } from "#core/principal";
import { assumedRole } from "#wire/auth/sessions";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createLastUsed } from "./last-used.ts";
import { createIamService } from "./service.ts";
import { accessKeyOperations } from "./operations/access-keys.ts";
import { accountReportOperations } from "./operations/account-reports.ts";
import { groupOperations } from "./operations/groups.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { lastAccessedOperations } from "./operations/last-accessed.ts";
import { policyOperations } from "./operations/policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { userOperations } from "./operations/users.ts";

const storage = withStorage();
const call = testCall();
const { account } = call;
const text = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: statement });
const allow = (...Action: string[]) => text({ Effect: "Allow", Action, Resource: "*" });
const AssumeRolePolicyDocument = text({
  Effect: "Allow",
  Principal: { Service: "lambda.amazonaws.com" },
  Action: "sts:AssumeRole",
});
const DAY = 86_400_000;

function setUp() {
  const deps = iamDeps(storage().documents);
  const operations = {
    ...accessKeyOperations(deps),
    ...accountReportOperations(deps),
    ...groupOperations(deps),
    ...holderPolicyOperations(deps),
    ...lastAccessedOperations(deps),
    ...policyOperations(deps),
    ...roleOperations(deps),
    ...userOperations(deps),
  };
  return {
    ...deps,
    ...operations,
    calls(principal: Principal, operation: string, action: string, region = "eu-west-1") {
      deps.usage.called(operation, action, principal, region, deps.clock.now());
    },
    async role(RoleName: string): Promise<Principal> {
      const { Role } = await operations.CreateRole({ RoleName, AssumeRolePolicyDocument }, call);
      const [roleArn = "", roleId = ""] = [Role?.Arn, Role?.RoleId];
      return assumedRole({ account, roleArn, roleId, sessionName: "s" }, 0);
    },
    async user(UserName: string): Promise<UserPrincipal> {
      const { User } = await operations.CreateUser({ UserName }, call);
      const { AccessKey } = await operations.CreateAccessKey({ UserName }, call);
      const [arn = "", userId = "", accessKeyId = ""] = [User?.Arn, User?.UserId, AccessKey?.AccessKeyId];
      return { kind: "user", account, arn, userId, userName: UserName, accessKeyId };
    },
    async report(Arn: string, Granularity?: "ACTION_LEVEL") {
      const { JobId } = await operations.GenerateServiceLastAccessedDetails({ Arn, Granularity }, call);
      return JobId ?? "";
    },
  };
}

it("tells when and where a role, a user and its key were used, also after a restart", async () => {
  const iam = setUp();
  const [role, user] = [await iam.role("r"), await iam.user("u")];
  const AccessKeyId = user.accessKeyId ?? "";
  expect((await iam.GetRole({ RoleName: "r" }, call)).Role?.RoleLastUsed).toEqual({});
  expect((await iam.GetAccessKeyLastUsed({ AccessKeyId }, call)).AccessKeyLastUsed).toEqual({
    ServiceName: "N/A",
    Region: "N/A",
  });
  iam.calls(role, "GetObject", "s3:GetObject");
  iam.calls(user, "Publish", "SNS:Publish");
  iam.clock.advance(1000);
  iam.calls(role, "SendMessage", "sqs:sendmessage", "us-west-2");
  const roleUse = { LastUsedDate: new Date(iam.clock.now()), Region: "us-west-2" };
  const keyUse = {
    UserName: "u",
    AccessKeyLastUsed: {
      ServiceName: "sns",
      Region: "eu-west-1",
      LastUsedDate: new Date(iam.clock.now() - 1000),
    },
  };
  const told = async (of: typeof iam) => [
    (await of.GetRole({ RoleName: "r" }, call)).Role?.RoleLastUsed,
    await of.GetAccessKeyLastUsed({ AccessKeyId }, call),
  ];
  expect(await told(iam)).toEqual([roleUse, keyUse]);
  await iam.lastUsed.close();
  expect(await told(setUp())).toEqual([roleUse, keyUse]);
  const { RoleDetailList } = await iam.GetAccountAuthorizationDetails({ Filter: ["Role"] }, call);
  expect(RoleDetailList).toMatchObject([{ RoleLastUsed: roleUse }]);
  await iam.GenerateCredentialReport({}, call);
  const { Content } = await iam.GetCredentialReport({}, call);
  expect(Buffer.from(Content ?? []).toString()).toContain("2026-01-01T00:00:00+00:00,eu-west-1,sns,false");
});

it("does not take what a user's temporary credentials sign for its key's use", async () => {
  const iam = setUp();
  const { accessKeyId: AccessKeyId = "", ...user } = await iam.user("u");
  iam.calls({ ...user, session: { issuedAt: 0 } }, "GetObject", "s3:GetObject");
  const { AccessKeyLastUsed } = await iam.GetAccessKeyLastUsed({ AccessKeyId }, call);
  expect(AccessKeyLastUsed?.ServiceName).toBe("N/A");
  expect(iam.lastUsed.holder(account, user.userId)).toMatchObject({ region: "eu-west-1" });
});

it("keeps nothing of who is gone, and loses nothing that cannot be written yet", async () => {
  const iam = setUp();
  const [role, user] = [await iam.role("r"), await iam.user("u")];
  iam.calls(role, "GetObject", "s3:GetObject");
  iam.calls(user, "GetObject", "s3:GetObject");
  await iam.lastUsed.keep();
  const kept = () => Array.from(iam.documents.list([account, "aws-global", "last-used"])).length;
  expect(kept()).toBe(3);
  iam.calls(role, "GetObject", "s3:GetObject");
  iam.calls(user, "GetObject", "s3:GetObject");
  await iam.DeleteRole({ RoleName: "r" }, call);
  await iam.DeleteAccessKey({ UserName: "u", AccessKeyId: user.accessKeyId }, call);
  await iam.DeleteUser({ UserName: "u" }, call);
  expect(kept()).toBe(0);
  await iam.lastUsed.keep();
  expect(kept()).toBe(0);

  const again = await iam.role("r");
  const errors: unknown[] = [];
  let full = true;
  const disk = {
    get: iam.documents.get.bind(iam.documents),
    list: iam.documents.list.bind(iam.documents),
    watch: iam.documents.watch.bind(iam.documents),
    commit: (...given: Parameters<typeof iam.documents.commit>) =>
      full ? Promise.reject(new Error("full")) : iam.documents.commit(...given),
  };
  const { clock, usage } = iam;
  const lastUsed = createLastUsed({ documents: disk, clock, usage, onError: (error) => errors.push(error) });
  iam.calls(again, "GetObject", "s3:GetObject");
  await lastUsed.keep();
  expect([errors.length, kept(), usage.calls.holders.size]).toEqual([1, 0, 1]);
  full = false;
  await lastUsed.keep();
  expect([errors.length, kept(), usage.calls.holders.size]).toEqual([1, 1, 0]);
});

it("writes now and then, and forgets what was not used for 400 days", async () => {
  const iam = setUp();
  const role = await iam.role("r");
  iam.lastUsed.start();
  iam.calls(role, "GetObject", "s3:GetObject");
  iam.clock.advance(5 * 60_000);
  await expect
    .poll(() => Array.from(iam.documents.list([account, "aws-global", "last-used"])).length)
    .toBe(1);
  iam.clock.advance(399 * DAY);
  expect((await iam.GetRole({ RoleName: "r" }, call)).Role?.RoleLastUsed).toHaveProperty("Region");
  iam.clock.advance(DAY);
  expect((await iam.GetRole({ RoleName: "r" }, call)).Role?.RoleLastUsed).toEqual({});
  await iam.lastUsed.close();
});

it("reports on a role's services, whether they were called or not", async () => {
  const iam = setUp();
  const role = await iam.role("r");
  const inline = { RoleName: "r", PolicyName: "inline", PolicyDocument: allow("S3:Get*", "sqs:*") };
  await iam.PutRolePolicy(inline, call);
  iam.calls(role, "HeadObject", "s3:GetObject");
  iam.calls(role, "ListObjectsV2", "s3:ListBucket");
  iam.calls(role, "ListFunctions", "lambda:ListFunctions");
  const { LastUsedDate } = (await iam.GetRole({ RoleName: "r" }, call)).Role?.RoleLastUsed ?? {};
  const LastAuthenticatedEntity = "arn:aws:iam::111111111111:role/r";
  const s3 = {
    ServiceName: "Amazon S3",
    ServiceNamespace: "s3",
    LastAuthenticated: LastUsedDate,
    LastAuthenticatedEntity,
    LastAuthenticatedRegion: "eu-west-1",
    TotalAuthenticatedEntities: 1,
  };
  const sqs = { ServiceName: "Amazon SQS", ServiceNamespace: "sqs", TotalAuthenticatedEntities: 0 };
  const job = { JobId: await iam.report(LastAuthenticatedEntity) };
  expect(job.JobId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(await iam.GetServiceLastAccessedDetails(job, call)).toEqual({
    JobStatus: "COMPLETED",
    JobType: "SERVICE_LEVEL",
    JobCreationDate: new Date(iam.clock.now()),
    JobCompletionDate: new Date(iam.clock.now()),
    ServicesLastAccessed: [s3, sqs],
    IsTruncated: false,
  });
  const action = {
    LastAccessedEntity: LastAuthenticatedEntity,
    LastAccessedTime: LastUsedDate,
    LastAccessedRegion: "eu-west-1",
  };
  const detailed = { JobId: await iam.report(LastAuthenticatedEntity, "ACTION_LEVEL") };
  const first = await iam.GetServiceLastAccessedDetails({ ...detailed, MaxItems: 1 }, call);
  expect(first.ServicesLastAccessed).toEqual([
    {
      ...s3,
      TrackedActionsLastAccessed: [
        { ActionName: "GetObject", ...action },
        { ActionName: "ListBucket", ...action },
      ],
    },
  ]);
  const rest = await iam.GetServiceLastAccessedDetails({ ...detailed, Marker: first.Marker }, call);
  expect(rest.ServicesLastAccessed).toEqual([sqs]);
});

it("reports on everybody whom a policy is attached to, the latest first", async () => {
  const iam = setUp();
  const [role, ann, bob] = [await iam.role("r"), await iam.user("ann"), await iam.user("bob")];
  await iam.CreateGroup({ GroupName: "g" }, call);
  for (const UserName of ["ann", "bob"]) await iam.AddUserToGroup({ GroupName: "g", UserName }, call);
  const { Policy } = await iam.CreatePolicy({ PolicyName: "p", PolicyDocument: allow("sqs:*") }, call);
  const PolicyArn = Policy?.Arn ?? "";
  await iam.AttachGroupPolicy({ GroupName: "g", PolicyArn }, call);
  await iam.AttachUserPolicy({ UserName: "ann", PolicyArn }, call);
  await iam.AttachRolePolicy({ RoleName: "r", PolicyArn }, call);
  iam.calls(ann, "SendMessage", "sqs:sendmessage");
  iam.clock.advance(1000);
  iam.calls(role, "ReceiveMessage", "sqs:receivemessage");
  iam.calls(bob, "Publish", "SNS:Publish");
  const of = async (Arn: string, ServiceNamespace: string) => {
    const JobId = await iam.report(Arn);
    const found = await iam.GetServiceLastAccessedDetailsWithEntities({ JobId, ServiceNamespace }, call);
    return found.EntityDetailsList?.map(({ EntityInfo, LastAuthenticated }) => [
      EntityInfo?.Name,
      EntityInfo?.Type,
      LastAuthenticated?.getTime(),
    ]);
  };
  const now = iam.clock.now();
  expect(await of(PolicyArn, "sqs")).toEqual([
    ["r", "ROLE", now],
    ["ann", "USER", now - 1000],
    ["bob", "USER", undefined],
  ]);
  expect(await of(PolicyArn, "sns")).toEqual([]);
  expect(await of("arn:aws:iam::111111111111:group/g", "sqs")).toEqual([
    ["ann", "USER", now - 1000],
    ["bob", "USER", undefined],
  ]);
  const JobId = await iam.report(PolicyArn);
  expect((await iam.GetServiceLastAccessedDetails({ JobId }, call)).ServicesLastAccessed).toMatchObject([
    {
      ServiceNamespace: "sqs",
      TotalAuthenticatedEntities: 2,
      LastAuthenticatedEntity: expect.stringMatching(/r$/),
    },
  ]);
});

it("lists the policies that grant a service, a user's groups' among them", async () => {
  const iam = setUp();
  await iam.user("u");
  await iam.CreateGroup({ GroupName: "g" }, call);
  await iam.AddUserToGroup({ GroupName: "g", UserName: "u" }, call);
  const PolicyArn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess";
  await iam.AttachUserPolicy({ UserName: "u", PolicyArn }, call);
  const butIam = text({ Effect: "Allow", NotAction: ["iam:*", "sqs:Send*"], Resource: "*" });
  await iam.PutGroupPolicy({ GroupName: "g", PolicyName: "but-iam", PolicyDocument: butIam }, call);
  const PolicyDocument = text([
    { Effect: "Deny", Action: "*", Resource: "*" },
    { Effect: "Allow", Action: "iam:GetUser", Resource: "*" },
  ]);
  await iam.PutUserPolicy({ UserName: "u", PolicyName: "self", PolicyDocument }, call);
  const Arn = "arn:aws:iam::111111111111:user/u";
  const ServiceNamespaces = ["sqs", "iam", "nothing"];
  const group = { PolicyName: "but-iam", PolicyType: "INLINE", EntityType: "GROUP", EntityName: "g" };
  expect(await iam.ListPoliciesGrantingServiceAccess({ Arn, ServiceNamespaces }, call)).toEqual({
    IsTruncated: false,
    PoliciesGrantingServiceAccess: [
      {
        ServiceNamespace: "iam",
        Policies: [{ PolicyName: "self", PolicyType: "INLINE", EntityType: "USER", EntityName: "u" }],
      },
      { ServiceNamespace: "nothing", Policies: [] },
      {
        ServiceNamespace: "sqs",
        Policies: [{ PolicyName: "AmazonSQSFullAccess", PolicyType: "MANAGED", PolicyArn }, group],
      },
    ],
  });
});

it("refuses reports on what is not there, and knows of no job but its own", async () => {
  const iam = setUp();
  await iam.role("r");
  const missing = { code: "NoSuchEntity" };
  await expect(iam.report("arn:aws:iam::111111111111:role/s")).rejects.toMatchObject(missing);
  await expect(iam.report("arn:aws:iam::111111111111:role/path/r")).rejects.toMatchObject(missing);
  await expect(iam.report("arn:aws:iam::111111111111:policy/p")).rejects.toMatchObject(missing);
  await expect(iam.report("arn:aws:s3:::a-bucket-that-is")).rejects.toMatchObject({ code: "InvalidInput" });
  const JobId = await iam.report("arn:aws:iam::111111111111:role/r");
  const { operations } = createIamService(iam);
  const read = (id: string) => () =>
    operations["GetServiceLastAccessedDetails"]?.({ JobId: id } as never, testCall("222222222222"));
  expect(read(JobId)).toThrow("cannot be found");
  expect(read(`${JobId.slice(0, 24)}zzzzzzzzzzzz`)).toThrow("cannot be found");
  await iam.DeleteRole({ RoleName: "r" }, call);
  expect(() => iam.GetServiceLastAccessedDetails({ JobId }, call)).toThrow("cannot be found");
});
