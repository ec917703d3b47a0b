import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accountOperations } from "./operations/account.ts";
import { boundaryOperations } from "./operations/boundaries.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { organizationOperations } from "./operations/organizations.ts";
import { policyOperations } from "./operations/policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { userOperations } from "./operations/users.ts";

const storage = withStorage();
const call = testCall();
const document = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: statement });
const PolicyDocument = document({ Effect: "Allow", Action: "s3:*", Resource: "*" });
const AssumeRolePolicyDocument = document({
  Effect: "Allow",
  Principal: { Service: "lambda.amazonaws.com" },
  Action: "sts:AssumeRole",
});
const AWS_POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess";

async function setUp() {
  const deps = iamDeps(storage().documents);
  const iam = {
    ...accountOperations(deps),
    ...boundaryOperations(deps),
    ...holderPolicyOperations(deps),
    ...policyOperations(deps),
    ...roleOperations(deps),
    ...userOperations(deps),
  };
  const { Policy } = await iam.CreatePolicy({ PolicyName: "edge", PolicyDocument }, call);
  const PolicyArn = Policy?.Arn ?? "";
  return {
    ...iam,
    PolicyArn,
    uses: async (arn = PolicyArn) =>
      (await iam.GetPolicy({ PolicyArn: arn }, call)).Policy?.PermissionsBoundaryUsageCount,
    /** Whom a policy is attached to, or a boundary of. */
    async entities(PolicyUsageFilter?: "PermissionsBoundary" | "PermissionsPolicy") {
      const found = await iam.ListEntitiesForPolicy({ PolicyArn, PolicyUsageFilter }, call);
      const roles = found.PolicyRoles?.map(({ RoleName }) => RoleName) ?? [];
      return [...roles, ...(found.PolicyUsers?.map(({ UserName }) => UserName) ?? [])];
    },
  };
}

it("counts whose permissions boundary a policy is, whatever becomes of them", async () => {
  const iam = await setUp();
  const { PolicyArn: PermissionsBoundary, uses } = iam;
  await iam.CreateRole({ RoleName: "r", AssumeRolePolicyDocument, PermissionsBoundary }, call);
  await iam.CreateUser({ UserName: "u", PermissionsBoundary }, call);
  await iam.CreateUser({ UserName: "v" }, call);
  expect(await uses()).toBe(2);
  await iam.PutUserPermissionsBoundary({ UserName: "v", PermissionsBoundary }, call);
  await iam.PutUserPermissionsBoundary({ UserName: "v", PermissionsBoundary }, call);
  expect(await uses()).toBe(3);
  await iam.UpdateUser({ UserName: "u", NewUserName: "w" }, call);
  expect(await iam.entities()).toEqual(["r", "v", "w"]);
  await iam.PutUserPermissionsBoundary({ UserName: "v", PermissionsBoundary: AWS_POLICY }, call);
  expect([await uses(), await uses(AWS_POLICY)]).toEqual([2, 1]);
  await expect(iam.DeletePolicy({ PolicyArn: PermissionsBoundary }, call)).rejects.toMatchObject({
    code: "DeleteConflict",
  });
  await iam.DeleteRolePermissionsBoundary({ RoleName: "r" }, call);
  await iam.DeleteUser({ UserName: "w" }, call);
  await iam.DeleteUser({ UserName: "v" }, call);
  expect([await uses(), await uses(AWS_POLICY)]).toEqual([0, 0]);
  await iam.PutRolePermissionsBoundary({ RoleName: "r", PermissionsBoundary }, call);
  await iam.DeleteRole({ RoleName: "r" }, call);
  expect(await uses()).toBe(0);
  await iam.DeletePolicy({ PolicyArn: PermissionsBoundary }, call);
});

it("tells policies that bound from policies that are attached", async () => {
  const iam = await setUp();
  const { PolicyArn } = iam;
  await iam.CreateRole({ RoleName: "bound", AssumeRolePolicyDocument, PermissionsBoundary: PolicyArn }, call);
  await iam.CreateUser({ UserName: "attached" }, call);
  await iam.AttachUserPolicy({ UserName: "attached", PolicyArn }, call);
  await iam.CreatePolicy({ PolicyName: "unused", PolicyDocument }, call);
  expect(await iam.entities()).toEqual(["bound", "attached"]);
  expect(await iam.entities("PermissionsBoundary")).toEqual(["bound"]);
  expect(await iam.entities("PermissionsPolicy")).toEqual(["attached"]);
  const bounding = await iam.ListPolicies({ PolicyUsageFilter: "PermissionsBoundary" }, call);
  expect(bounding.Policies).toMatchObject([
    { PolicyName: "edge", AttachmentCount: 1, PermissionsBoundaryUsageCount: 1 },
  ]);
  const local = await iam.ListPolicies({ Scope: "Local", MaxItems: 1 }, call);
  expect(local.Policies).toMatchObject([{ PolicyName: "edge" }]);
  const rest = await iam.ListPolicies({ Scope: "Local", Marker: local.Marker }, call);
  expect(rest).toMatchObject({ IsTruncated: false, Policies: [{ PolicyName: "unused" }] });
});

it("refuses boundaries that are no policies, and makes nothing then", async () => {
  const iam = await setUp();
  const PermissionsBoundary = "arn:aws:iam::111111111111:policy/none";
  const missing = { code: "NoSuchEntity" };
  const role = { RoleName: "r", AssumeRolePolicyDocument, PermissionsBoundary };
  await expect(iam.CreateRole(role, call)).rejects.toMatchObject(missing);
  await expect(iam.CreateUser({ UserName: "u", PermissionsBoundary }, call)).rejects.toMatchObject(missing);
  expect(() => iam.GetRole({ RoleName: "r" }, call)).toThrow("cannot be found");
  expect(() => iam.GetUser({ UserName: "u" }, call)).toThrow("cannot be found");
});

it("keeps which tokens the global endpoint of STS gives out", async () => {
  const iam = await setUp();
  const version = async () =>
    (await iam.GetAccountSummary({}, call)).SummaryMap?.["GlobalEndpointTokenVersion"];
  expect(await version()).toBe(1);
  await iam.SetSecurityTokenServicePreferences({ GlobalEndpointTokenVersion: "v2Token" }, call);
  expect(await version()).toBe(2);
  await iam.SetSecurityTokenServicePreferences({ GlobalEndpointTokenVersion: "v1Token" }, call);
  expect(await version()).toBe(1);
});

it("answers as an account that belongs to no organization", () => {
  const iam = organizationOperations();
  for (const ask of [
    () => iam.EnableOrganizationsRootCredentialsManagement(),
    () => iam.DisableOrganizationsRootCredentialsManagement(),
    () => iam.EnableOrganizationsRootSessions(),
    () => iam.DisableOrganizationsRootSessions(),
    () => iam.ListOrganizationsFeatures(),
    () => iam.GenerateOrganizationsAccessReport(),
  ])
    expect(ask).toThrow("no organization is associated");
  expect(() => iam.GetOrganizationsAccessReport({ JobId: "j" })).toThrow("cannot be found");
});
