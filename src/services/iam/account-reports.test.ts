import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accessKeyOperations } from "./operations/access-keys.ts";
import { accountReportOperations } from "./operations/account-reports.ts";
import { groupOperations } from "./operations/groups.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { instanceProfileOperations } from "./operations/instance-profiles.ts";
import { policyOperations } from "./operations/policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { userOperations } from "./operations/users.ts";

const storage = withStorage();
const call = testCall();
const text = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: statement });
const PolicyDocument = text({ Effect: "Allow", Action: "s3:GetObject", Resource: "*" });

function setUp() {
  const deps = iamDeps(storage().documents);
  return {
    clock: deps.clock,
    ...accessKeyOperations(deps),
    ...accountReportOperations(deps),
    ...groupOperations(deps),
    ...holderPolicyOperations(deps),
    ...instanceProfileOperations(deps),
    ...policyOperations(deps),
    ...roleOperations(deps),
    ...userOperations(deps),
  };
}

it("shows an account's principals and policies with all that hangs from them, page by page", async () => {
  const iam = setUp();
  const { Policy } = await iam.CreatePolicy({ PolicyName: "p", PolicyDocument }, call);
  const PolicyArn = Policy?.Arn ?? "";
  const boundary = { PermissionsBoundary: PolicyArn };
  await iam.CreateUser({ UserName: "u", ...boundary, Tags: [{ Key: "k", Value: "v" }] }, call);
  await iam.CreateGroup({ GroupName: "g" }, call);
  await iam.AddUserToGroup({ GroupName: "g", UserName: "u" }, call);
  await iam.PutGroupPolicy({ GroupName: "g", PolicyName: "inline", PolicyDocument }, call);
  const Principal = { Service: "ec2.amazonaws.com" };
  const AssumeRolePolicyDocument = text({ Effect: "Allow", Principal, Action: "sts:AssumeRole" });
  await iam.CreateRole({ RoleName: "r", AssumeRolePolicyDocument }, call);
  await iam.AttachRolePolicy({ RoleName: "r", PolicyArn }, call);
  await iam.CreateInstanceProfile({ InstanceProfileName: "i" }, call);
  await iam.AddRoleToInstanceProfile({ InstanceProfileName: "i", RoleName: "r" }, call);

  const first = await iam.GetAccountAuthorizationDetails({ MaxItems: 2 }, call);
  expect(first).toMatchObject({
    IsTruncated: true,
    UserDetailList: [{ UserName: "u", GroupList: ["g"], Tags: [{ Key: "k", Value: "v" }] }],
    GroupDetailList: [{ GroupName: "g", GroupPolicyList: [{ PolicyName: "inline" }] }],
    RoleDetailList: [],
  });
  const rest = await iam.GetAccountAuthorizationDetails({ Marker: first.Marker }, call);
  expect(rest).toMatchObject({
    IsTruncated: false,
    UserDetailList: [],
    RoleDetailList: [
      {
        RoleName: "r",
        AttachedManagedPolicies: [{ PolicyName: "p", PolicyArn }],
        InstanceProfileList: [{ InstanceProfileName: "i" }],
      },
    ],
    Policies: [
      {
        AttachmentCount: 1,
        PermissionsBoundaryUsageCount: 1,
        PolicyVersionList: [
          { VersionId: "v1", Document: encodeURIComponent(PolicyDocument).replace("*", "%2A") },
        ],
      },
    ],
  });
  const groups = await iam.GetAccountAuthorizationDetails({ Filter: ["Group"] }, call);
  expect(groups).toMatchObject({
    UserDetailList: [],
    GroupDetailList: [{}],
    RoleDetailList: [],
    Policies: [],
  });
});

it("reports on the credentials of users, for four hours", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName: "u" }, call);
  await iam.CreateAccessKey({ UserName: "u" }, call);
  expect(() => iam.GetCredentialReport({}, call)).toThrow("No report exists.");
  expect(await iam.GenerateCredentialReport({}, call)).toMatchObject({ State: "STARTED" });
  await iam.CreateUser({ UserName: "later" }, call);
  expect(await iam.GenerateCredentialReport({}, call)).toMatchObject({ State: "COMPLETE" });
  const { Content } = await iam.GetCredentialReport({}, call);
  const [head = "", root, user = "", ...others] = Buffer.from(Content ?? [])
    .toString()
    .split("\n");
  expect(others).toEqual([]);
  expect(root).toContain("<root_account>,arn:aws:iam::111111111111:root");
  const cells = user.split(",");
  const row = Object.fromEntries(head.split(",").map((column, index) => [column, cells[index]]));
  expect(row).toMatchObject({
    user: "u",
    user_creation_time: "2026-01-01T00:00:00+00:00",
    password_enabled: "false",
    mfa_active: "false",
    access_key_1_active: "true",
    access_key_2_active: "false",
  });
  iam.clock.advance(4 * 3_600_000);
  expect(() => iam.GetCredentialReport({}, call)).toThrow("has expired");
});
