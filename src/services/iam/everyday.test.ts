import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accessKeyOperations } from "./operations/access-keys.ts";
import { accountOperations } from "./operations/account.ts";
import { boundaryOperations } from "./operations/boundaries.ts";
import { groupOperations } from "./operations/groups.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { identityProviderOperations } from "./operations/identity-providers.ts";
import { instanceProfileOperations } from "./operations/instance-profiles.ts";
import { mfaDeviceOperations } from "./operations/mfa-devices.ts";
import { policyOperations } from "./operations/policies.ts";
import { policyVersionOperations } from "./operations/policy-versions.ts";
import { roleOperations } from "./operations/roles.ts";
import { simulationOperations } from "./operations/simulations.ts";
import { userCredentialOperations } from "./operations/user-credentials.ts";
import { userOperations } from "./operations/users.ts";
import { codeOf, fromBase32, stepAt } from "./totp.ts";

const storage = withStorage();
const call = testCall();
const text = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: statement });
const PolicyDocument = text({
  Effect: "Allow",
  Action: "s3:*",
  Resource: "*",
  Condition: { Bool: { "aws:SecureTransport": "true" } },
});
const trust = (Service: string) =>
  text({ Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" });
const AssumeRolePolicyDocument = trust("lambda.amazonaws.com");
const AWS_POLICY = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const decoded = (document = "") => JSON.parse(decodeURIComponent(document)) as object;

function setUp() {
  const deps = iamDeps(storage().documents);
  return {
    clock: deps.clock,
    ...accessKeyOperations(deps),
    ...accountOperations(deps),
    ...boundaryOperations(deps),
    ...groupOperations(deps),
    ...holderPolicyOperations(deps),
    ...identityProviderOperations(deps),
    ...instanceProfileOperations(deps),
    ...mfaDeviceOperations(deps),
    ...policyOperations(deps),
    ...policyVersionOperations(deps),
    ...roleOperations(deps),
    ...simulationOperations(deps),
    ...userCredentialOperations(deps),
    ...userOperations(deps),
  };
}

it("puts, shows, lists and deletes the policies of users, groups and roles alike", async () => {
  const iam = setUp();
  const [user, group, role] = [{ UserName: "h" }, { GroupName: "h" }, { RoleName: "h" }];
  await iam.CreateUser(user, call);
  await iam.CreateGroup(group, call);
  await iam.CreateRole({ ...role, AssumeRolePolicyDocument }, call);
  const named = { PolicyName: "p" };
  const inline = { ...named, PolicyDocument };
  await iam.PutUserPolicy({ ...user, ...inline }, call);
  await iam.PutGroupPolicy({ ...group, ...inline }, call);
  await iam.PutRolePolicy({ ...role, ...inline }, call);
  for (const [of, found] of [
    [user, iam.GetUserPolicy({ ...user, ...named }, call)],
    [group, iam.GetGroupPolicy({ ...group, ...named }, call)],
    [role, iam.GetRolePolicy({ ...role, ...named }, call)],
  ] as const) {
    expect(found).toMatchObject({ ...of, ...named });
    expect(decoded(found.PolicyDocument)).toEqual(JSON.parse(PolicyDocument));
  }
  const names = () => [
    iam.ListUserPolicies(user, call).PolicyNames,
    iam.ListGroupPolicies(group, call).PolicyNames,
    iam.ListRolePolicies(role, call).PolicyNames,
  ];
  expect(names()).toEqual([["p"], ["p"], ["p"]]);
  await iam.DeleteUserPolicy({ ...user, ...named }, call);
  await iam.DeleteGroupPolicy({ ...group, ...named }, call);
  await iam.DeleteRolePolicy({ ...role, ...named }, call);
  expect(names()).toEqual([[], [], []]);
  await expect(iam.DeleteUserPolicy({ ...user, ...named }, call)).rejects.toMatchObject({
    code: "NoSuchEntity",
  });

  const PolicyArn = AWS_POLICY;
  await iam.AttachUserPolicy({ ...user, PolicyArn }, call);
  await iam.AttachGroupPolicy({ ...group, PolicyArn }, call);
  await iam.AttachRolePolicy({ ...role, PolicyArn }, call);
  const attached = () => [
    iam.ListAttachedUserPolicies(user, call).AttachedPolicies?.length,
    iam.ListAttachedGroupPolicies(group, call).AttachedPolicies?.length,
    iam.ListAttachedRolePolicies(role, call).AttachedPolicies?.length,
  ];
  expect(attached()).toEqual([1, 1, 1]);
  await iam.DetachUserPolicy({ ...user, PolicyArn }, call);
  await iam.DetachGroupPolicy({ ...group, PolicyArn }, call);
  await iam.DetachRolePolicy({ ...role, PolicyArn }, call);
  expect(attached()).toEqual([0, 0, 0]);
});

it("adds users to groups, takes them out, and lists both", async () => {
  const iam = setUp();
  for (const UserName of ["a", "b"]) await iam.CreateUser({ UserName, Path: `/${UserName}/` }, call);
  for (const GroupName of ["g", "h"]) await iam.CreateGroup({ GroupName }, call);
  expect((await iam.ListUsers({ PathPrefix: "/b/" }, call)).Users?.map(({ UserName }) => UserName)).toEqual([
    "b",
  ]);
  const first = await iam.ListGroups({ MaxItems: 1 }, call);
  expect([first.Groups?.[0]?.GroupName, first.IsTruncated]).toEqual(["g", true]);
  const rest = await iam.ListGroups({ Marker: first.Marker }, call);
  expect([rest.Groups?.[0]?.GroupName, rest.IsTruncated]).toEqual(["h", false]);
  await iam.AddUserToGroup({ GroupName: "g", UserName: "a" }, call);
  await expect(iam.DeleteGroup({ GroupName: "g" }, call)).rejects.toMatchObject({ code: "DeleteConflict" });
  await iam.RemoveUserFromGroup({ GroupName: "g", UserName: "a" }, call);
  expect((await iam.GetGroup({ GroupName: "g" }, call)).Users).toEqual([]);
  await iam.DeleteGroup({ GroupName: "g" }, call);
  expect(() => iam.GetGroup({ GroupName: "g" }, call)).toThrow("cannot be found");
});

it("changes a role's description, sessions and trust", async () => {
  const iam = setUp();
  const RoleName = "r";
  await iam.CreateRole({ RoleName, AssumeRolePolicyDocument, Description: "old" }, call);
  await iam.UpdateRole({ RoleName, MaxSessionDuration: 7200 }, call);
  await iam.UpdateRoleDescription({ RoleName, Description: "new" }, call);
  await iam.UpdateAssumeRolePolicy({ RoleName, PolicyDocument: trust("sns.amazonaws.com") }, call);
  const { Role } = await iam.GetRole({ RoleName }, call);
  expect(Role).toMatchObject({ Description: "new", MaxSessionDuration: 7200 });
  expect(decoded(Role?.AssumeRolePolicyDocument)).toEqual(JSON.parse(trust("sns.amazonaws.com")));
  const wrong = iam.UpdateAssumeRolePolicy({ RoleName, PolicyDocument: PolicyDocument }, call);
  await expect(wrong).rejects.toMatchObject({ code: "MalformedPolicyDocument" });
  await iam.UpdateRole({ RoleName, Description: "" }, call);
  expect((await iam.GetRole({ RoleName }, call)).Role).not.toHaveProperty("Description");
});

it("has one version of a policy count", async () => {
  const iam = setUp();
  const { Policy } = await iam.CreatePolicy({ PolicyName: "p", PolicyDocument }, call);
  const PolicyArn = Policy?.Arn;
  const next = text({ Effect: "Deny", Action: "*", Resource: "*" });
  await iam.CreatePolicyVersion({ PolicyArn, PolicyDocument: next }, call);
  const shown = async (VersionId: string) =>
    (await iam.GetPolicyVersion({ PolicyArn, VersionId }, call)).PolicyVersion;
  expect((await shown("v2"))?.IsDefaultVersion).toBe(false);
  await iam.SetDefaultPolicyVersion({ PolicyArn, VersionId: "v2" }, call);
  expect((await shown("v2"))?.IsDefaultVersion).toBe(true);
  expect(decoded((await shown("v2"))?.Document)).toEqual(JSON.parse(next));
  expect(() => iam.GetPolicyVersion({ PolicyArn, VersionId: "v3" }, call)).toThrow("v3");
});

it("switches access keys off and on, and deletes them", async () => {
  const iam = setUp();
  const UserName = "u";
  await iam.CreateUser({ UserName }, call);
  const { AccessKey } = await iam.CreateAccessKey({ UserName }, call);
  const of = { UserName, AccessKeyId: AccessKey?.AccessKeyId };
  await iam.UpdateAccessKey({ ...of, Status: "Inactive" }, call);
  const listed = async () => (await iam.ListAccessKeys({ UserName }, call)).AccessKeyMetadata;
  expect(await listed()).toMatchObject([{ ...of, Status: "Inactive" }]);
  expect(JSON.stringify(await listed())).not.toContain(AccessKey?.SecretAccessKey);
  await iam.DeleteAccessKey(of, call);
  expect(await listed()).toEqual([]);
});

it("takes passwords, boundaries, aliases and password policies away again", async () => {
  const iam = setUp();
  const UserName = "u";
  await iam.CreateUser({ UserName, PermissionsBoundary: AWS_POLICY }, call);
  await iam.DeleteUserPermissionsBoundary({ UserName }, call);
  expect((await iam.GetUser({ UserName }, call)).User).not.toHaveProperty("PermissionsBoundary");
  await iam.CreateLoginProfile({ UserName, Password: "password1" }, call);
  await iam.UpdateLoginProfile({ UserName, PasswordResetRequired: true }, call);
  expect((await iam.GetLoginProfile({ UserName }, call)).LoginProfile?.PasswordResetRequired).toBe(true);
  await iam.DeleteLoginProfile({ UserName }, call);
  expect(() => iam.GetLoginProfile({ UserName }, call)).toThrow("cannot be found");
  await iam.CreateAccountAlias({ AccountAlias: "mine" }, call);
  await expect(iam.DeleteAccountAlias({ AccountAlias: "other" }, call)).rejects.toMatchObject({
    code: "NoSuchEntity",
  });
  await iam.DeleteAccountAlias({ AccountAlias: "mine" }, call);
  expect((await iam.ListAccountAliases({}, call)).AccountAliases).toEqual([]);
  await iam.UpdateAccountPasswordPolicy({ MinimumPasswordLength: 8 }, call);
  await iam.DeleteAccountPasswordPolicy({}, call);
  expect(() => iam.GetAccountPasswordPolicy({}, call)).toThrow("cannot be found");
});

it("sets a device anew that has lost its time", async () => {
  const iam = setUp();
  const UserName = "u";
  await iam.CreateUser({ UserName }, call);
  const { VirtualMFADevice } = await iam.CreateVirtualMFADevice({ VirtualMFADeviceName: "d" }, call);
  const SerialNumber = VirtualMFADevice?.SerialNumber;
  const seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const codes = () => ({
    AuthenticationCode1: codeOf(seed, stepAt(iam.clock.now())),
    AuthenticationCode2: codeOf(seed, stepAt(iam.clock.now()) + 1),
  });
  await iam.EnableMFADevice({ UserName, SerialNumber, ...codes() }, call);
  const old = codes();
  iam.clock.advance(86_400_000);
  const of = { UserName, SerialNumber };
  await expect(iam.ResyncMFADevice({ ...of, ...old }, call)).rejects.toThrow("not valid");
  expect(await iam.ResyncMFADevice({ ...of, ...codes() }, call)).toEqual({});
});

it("tells which keys of a request a principal's policies ask for", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName: "u" }, call);
  await iam.PutUserPolicy({ UserName: "u", PolicyName: "p", PolicyDocument }, call);
  const PolicySourceArn = "arn:aws:iam::111111111111:user/u";
  const { ContextKeyNames } = await iam.GetContextKeysForPrincipalPolicy({ PolicySourceArn }, call);
  expect(ContextKeyNames).toEqual(["aws:SecureTransport"]);
});

it("tags whatever can be tagged in one way", async () => {
  const iam = setUp();
  await iam.CreateRole({ RoleName: "t", AssumeRolePolicyDocument }, call);
  await iam.CreateUser({ UserName: "t" }, call);
  const { Policy } = await iam.CreatePolicy({ PolicyName: "t", PolicyDocument }, call);
  await iam.CreateInstanceProfile({ InstanceProfileName: "t" }, call);
  const { VirtualMFADevice } = await iam.CreateVirtualMFADevice({ VirtualMFADeviceName: "t" }, call);
  const { OpenIDConnectProviderArn } = await iam.CreateOpenIDConnectProvider(
    { Url: "https://idp.example" },
    call,
  );
  const role = { RoleName: "t" };
  const user = { UserName: "t" };
  const policy = { PolicyArn: Policy?.Arn };
  const profile = { InstanceProfileName: "t" };
  const device = { SerialNumber: VirtualMFADevice?.SerialNumber };
  const provider = { OpenIDConnectProviderArn };

  const Tags = ["one", "two"].map((Key) => ({ Key, Value: "v" }));
  await iam.TagRole({ ...role, Tags }, call);
  await iam.TagUser({ ...user, Tags }, call);
  await iam.TagPolicy({ ...policy, Tags }, call);
  await iam.TagInstanceProfile({ ...profile, Tags }, call);
  await iam.TagMFADevice({ ...device, Tags }, call);
  await iam.TagOpenIDConnectProvider({ ...provider, Tags }, call);
  const TagKeys = ["ONE"];
  await iam.UntagRole({ ...role, TagKeys }, call);
  await iam.UntagUser({ ...user, TagKeys }, call);
  await iam.UntagPolicy({ ...policy, TagKeys }, call);
  await iam.UntagInstanceProfile({ ...profile, TagKeys }, call);
  await iam.UntagMFADevice({ ...device, TagKeys }, call);
  await iam.UntagOpenIDConnectProvider({ ...provider, TagKeys }, call);
  for (const { Tags: left, IsTruncated } of [
    await iam.ListRoleTags(role, call),
    await iam.ListUserTags(user, call),
    await iam.ListPolicyTags(policy, call),
    await iam.ListInstanceProfileTags(profile, call),
    await iam.ListMFADeviceTags(device, call),
    await iam.ListOpenIDConnectProviderTags(provider, call),
  ])
    expect([left, IsTruncated]).toEqual([[{ Key: "two", Value: "v" }], false]);
  expect((await iam.ListInstanceProfiles({}, call)).InstanceProfiles).toHaveLength(1);
  const { InstanceProfile } = await iam.GetInstanceProfile(profile, call);
  expect(InstanceProfile).toMatchObject({ Arn: "arn:aws:iam::111111111111:instance-profile/t", Roles: [] });
  const ThumbprintList = ["a".repeat(40)];
  await iam.UpdateOpenIDConnectProviderThumbprint({ ...provider, ThumbprintList }, call);
  expect(await iam.GetOpenIDConnectProvider(provider, call)).toMatchObject({ ThumbprintList });
  const { OpenIDConnectProviderList } = await iam.ListOpenIDConnectProviders({}, call);
  expect(OpenIDConnectProviderList).toEqual([{ Arn: OpenIDConnectProviderArn }]);
});
