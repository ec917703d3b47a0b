import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { policyVersionOperations } from "./operations/policy-versions.ts";
import { policyOperations } from "./operations/policies.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { roleOperations } from "./operations/roles.ts";
import { createRoleSeed } from "./seed.ts";

const storage = withStorage();
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});
const POLICY = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
});
const RoleName = "r";

function setUp() {
  const deps = iamDeps(storage().documents);
  const iam = {
    ...roleOperations(deps),
    ...holderPolicyOperations(deps),
    ...policyOperations(deps),
    ...policyVersionOperations(deps),
  };
  return { deps, iam, call: testCall() };
}

it("shows a role as recorded", async () => {
  const { iam, call } = setUp();
  const created = await iam.CreateRole({ RoleName, AssumeRolePolicyDocument: TRUST }, call);
  expect(Object.keys(created.Role ?? {}).sort()).toEqual([
    "Arn",
    "AssumeRolePolicyDocument",
    "CreateDate",
    "Path",
    "RoleId",
    "RoleName",
  ]);
  const got = (await iam.GetRole({ RoleName }, call)).Role;
  expect(got).toMatchObject({
    Arn: "arn:aws:iam::111111111111:role/r",
    MaxSessionDuration: 3600,
    RoleLastUsed: {},
  });
  expect(decodeURIComponent(got?.AssumeRolePolicyDocument ?? "")).toBe(TRUST);
  await expect(iam.CreateRole({ RoleName: "R", AssumeRolePolicyDocument: TRUST }, call)).rejects.toThrow(
    "Role with name R already exists.",
  );
});

it("attaches policies and answers the recorded errors", async () => {
  const { iam, call } = setUp();
  await iam.CreateRole({ RoleName, AssumeRolePolicyDocument: TRUST }, call);
  const { Policy } = await iam.CreatePolicy({ PolicyName: "p", PolicyDocument: POLICY }, call);
  expect(Policy).toMatchObject({ AttachmentCount: 0, DefaultVersionId: "v1", IsAttachable: true, Path: "/" });
  const PolicyArn = Policy?.Arn;
  await expect(iam.AttachRolePolicy({ RoleName, PolicyArn: "p" }, call)).rejects.toThrow(
    "Invalid ARN:  Could not be parsed!",
  );
  await expect(iam.AttachRolePolicy({ RoleName, PolicyArn: `${PolicyArn}123` }, call)).rejects.toThrow(
    "Policy arn:aws:iam::111111111111:policy/p123 does not exist or is not attachable.",
  );
  await expect(
    iam.DeletePolicy({ PolicyArn: "arn:aws:iam::111111111111:policy/non-existent-policy" }, call),
  ).rejects.toThrow("Policy arn:aws:iam::111111111111:policy/non-existent-policy was not found.");
  await iam.AttachRolePolicy({ RoleName, PolicyArn }, call);
  await expect(iam.DeleteRole({ RoleName }, call)).rejects.toThrow(
    "Cannot delete entity, must detach all policies first.",
  );
  await expect(iam.DeletePolicy({ PolicyArn }, call)).rejects.toThrow(
    "Cannot delete a policy attached to entities.",
  );
  await iam.DetachRolePolicy({ RoleName, PolicyArn }, call);
  await iam.CreatePolicyVersion({ PolicyArn, PolicyDocument: POLICY, SetAsDefault: true }, call);
  expect((await iam.ListPolicyVersions({ PolicyArn }, call)).Versions).toMatchObject([
    { VersionId: "v2", IsDefaultVersion: true },
    { VersionId: "v1", IsDefaultVersion: false },
  ]);
  await iam.DeletePolicyVersion({ PolicyArn, VersionId: "v1" }, call);
  await iam.DeletePolicy({ PolicyArn }, call);
  await iam.DeleteRole({ RoleName }, call);
  expect(() => iam.GetRole({ RoleName }, call)).toThrow("The role with name r cannot be found.");
});

it("pages roles and seeds one that is ready", async () => {
  const { deps, iam, call } = setUp();
  const seed = createRoleSeed(deps);
  expect(await seed(call.account)).toBe("arn:aws:iam::111111111111:role/thaw-basic-execution");
  expect(await seed(call.account)).toBe("arn:aws:iam::111111111111:role/thaw-basic-execution");
  for (const name of ["a", "b"])
    await iam.CreateRole({ RoleName: name, AssumeRolePolicyDocument: TRUST }, call);
  const first = await iam.ListRoles({ MaxItems: 2 }, call);
  const rest = await iam.ListRoles({ Marker: first.Marker }, call);
  expect([...(first.Roles ?? []), ...(rest.Roles ?? [])].map((role) => role.RoleName)).toEqual([
    "a",
    "b",
    "thaw-basic-execution",
  ]);
  expect(rest.IsTruncated).toBe(false);
  const attached = iam.ListAttachedRolePolicies({ RoleName: "thaw-basic-execution" }, call);
  expect(attached.AttachedPolicies?.map(({ PolicyName }) => PolicyName)).toEqual([
    "AWSXRayDaemonWriteAccess",
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaRole",
  ]);
});
