import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accountOperations } from "./operations/account.ts";
import { identityProviderOperations } from "./operations/identity-providers.ts";
import { instanceProfileOperations } from "./operations/instance-profiles.ts";
import { roleOperations } from "./operations/roles.ts";
import { userCredentialOperations } from "./operations/user-credentials.ts";
import { userOperations } from "./operations/users.ts";

const storage = withStorage();
const call = testCall();

function setUp() {
  const deps = iamDeps(storage().documents);
  return {
    ...accountOperations(deps),
    ...identityProviderOperations(deps),
    ...instanceProfileOperations(deps),
    ...roleOperations(deps),
    ...userCredentialOperations(deps),
    ...userOperations(deps),
  };
}

it("keeps OpenID Connect providers", async () => {
  const iam = setUp();
  const Url = "https://idp.example/realm";
  const { OpenIDConnectProviderArn } = await iam.CreateOpenIDConnectProvider(
    { Url, ClientIDList: ["a"] },
    call,
  );
  expect(OpenIDConnectProviderArn).toBe("arn:aws:iam::111111111111:oidc-provider/idp.example/realm");
  await iam.AddClientIDToOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: "b" }, call);
  await iam.RemoveClientIDFromOpenIDConnectProvider({ OpenIDConnectProviderArn, ClientID: "a" }, call);
  const found = await iam.GetOpenIDConnectProvider({ OpenIDConnectProviderArn }, call);
  expect(found).toMatchObject({ Url: "idp.example/realm", ClientIDList: ["b"] });
  await expect(iam.CreateOpenIDConnectProvider({ Url }, call)).rejects.toThrow("already exists");
  await iam.DeleteOpenIDConnectProvider({ OpenIDConnectProviderArn }, call);
  expect(() => iam.GetOpenIDConnectProvider({ OpenIDConnectProviderArn }, call)).toThrow("not found");
});

it("keeps instance profiles with one role each", async () => {
  const iam = setUp();
  const InstanceProfileName = "p";
  const Statement = [
    { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
  ];
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.CreateRole({ RoleName: "r", AssumeRolePolicyDocument }, call);
  await iam.CreateInstanceProfile({ InstanceProfileName }, call);
  await iam.AddRoleToInstanceProfile({ InstanceProfileName, RoleName: "r" }, call);
  await expect(iam.AddRoleToInstanceProfile({ InstanceProfileName, RoleName: "r" }, call)).rejects.toThrow(
    "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
  );
  const { InstanceProfiles } = await iam.ListInstanceProfilesForRole({ RoleName: "r" }, call);
  expect(InstanceProfiles?.map((profile) => profile.Roles?.[0]?.RoleName)).toEqual(["r"]);
  await expect(iam.DeleteInstanceProfile({ InstanceProfileName }, call)).rejects.toThrow("must remove roles");
  await iam.RemoveRoleFromInstanceProfile({ InstanceProfileName, RoleName: "r" }, call);
  await iam.DeleteInstanceProfile({ InstanceProfileName }, call);
});

it("keeps an account's alias and password policy, and counts what it has", async () => {
  const iam = setUp();
  await iam.CreateAccountAlias({ AccountAlias: "mine" }, call);
  expect((await iam.ListAccountAliases({}, call)).AccountAliases).toEqual(["mine"]);
  expect(() => iam.GetAccountPasswordPolicy({}, call)).toThrow(
    "The Password Policy with domain name 111111111111 cannot be found.",
  );
  await iam.UpdateAccountPasswordPolicy({ MaxPasswordAge: 90 }, call);
  expect((await iam.GetAccountPasswordPolicy({}, call)).PasswordPolicy).toMatchObject({
    MinimumPasswordLength: 6,
    ExpirePasswords: true,
  });
  await iam.CreateUser({ UserName: "u" }, call);
  expect((await iam.GetAccountSummary({}, call)).SummaryMap).toMatchObject({
    Users: 1,
    Roles: 0,
    UsersQuota: 5000,
  });
});

it("moves what hangs from a user to its new name", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName: "old" }, call);
  await iam.CreateLoginProfile({ UserName: "old", Password: "secret" }, call);
  await iam.UpdateUser({ UserName: "old", NewUserName: "new" }, call);
  expect(() => iam.GetUser({ UserName: "old" }, call)).toThrow("The user with name old cannot be found.");
  expect((await iam.GetLoginProfile({ UserName: "new" }, call)).LoginProfile?.UserName).toBe("new");
  await expect(iam.DeleteUser({ UserName: "new" }, call)).rejects.toThrow("must delete login profile first");
});
