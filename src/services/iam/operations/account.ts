import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { passwordPolicyKey, type PasswordPolicy } from "../password-policy.ts";
import { ACCOUNT_QUOTAS } from "../quotas.ts";
import { REGION } from "../store.ts";

type Iam = typeof client;

/** What GetAccountSummary answers of quotas ("IAM and AWS STS quotas"). */
const QUOTAS = {
  AccessKeysPerUserQuota: LIMITS.accessKeysPerUser,
  AssumeRolePolicySizeQuota: LIMITS.assumeRolePolicySize,
  AttachedPoliciesPerGroupQuota: LIMITS.policiesPerHolder,
  AttachedPoliciesPerRoleQuota: LIMITS.policiesPerHolder,
  AttachedPoliciesPerUserQuota: LIMITS.policiesPerHolder,
  GroupPolicySizeQuota: LIMITS.inlinePoliciesSize.group,
  GroupsPerUserQuota: LIMITS.groupsPerUser,
  GroupsQuota: ACCOUNT_QUOTAS.group.value,
  InstanceProfilesQuota: ACCOUNT_QUOTAS["instance-profile"].value,
  PoliciesQuota: ACCOUNT_QUOTAS.policy.value,
  PolicySizeQuota: LIMITS.managedPolicySize,
  PolicyVersionsInUseQuota: 10_000,
  RolePolicySizeQuota: LIMITS.inlinePoliciesSize.role,
  RolesQuota: ACCOUNT_QUOTAS.role.value,
  ServerCertificatesQuota: ACCOUNT_QUOTAS["server-certificate"].value,
  SigningCertificatesPerUserQuota: LIMITS.signingCertificatesPerUser,
  UserPolicySizeQuota: LIMITS.inlinePoliciesSize.user,
  UsersQuota: ACCOUNT_QUOTAS.user.value,
  VersionsPerPolicyQuota: LIMITS.policyVersions,
};

export function accountOperations({ documents }: IamDeps) {
  const aliasKey = (account: string) => [account, REGION, "account", "alias"] as const;
  const tokenVersionKey = (account: string) => [account, REGION, "account", "token-version"] as const;

  const CreateAccountAlias: Handler<Iam, "CreateAccountAlias"> = async (input, call) => {
    await documents.commit([{ key: aliasKey(call.account), value: input.AccountAlias ?? "" }]);
    return {};
  };

  const DeleteAccountAlias: Handler<Iam, "DeleteAccountAlias"> = async (input, call) => {
    const alias = documents.get<string>(aliasKey(call.account))?.value;
    if (alias !== input.AccountAlias) throw iamErrors.aliasMissing(input.AccountAlias ?? "");
    await documents.commit([{ key: aliasKey(call.account), delete: true }]);
    return {};
  };

  const ListAccountAliases: Handler<Iam, "ListAccountAliases"> = (_input, call) => {
    const alias = documents.get<string>(aliasKey(call.account))?.value;
    return { AccountAliases: alias === undefined ? [] : [alias], IsTruncated: false };
  };

  const GetAccountSummary: Handler<Iam, "GetAccountSummary"> = (_input, { account }) => {
    const count = (kind: string): number => {
      let found = 0;
      for (const _ of documents.list([account, REGION, kind])) found++;
      return found;
    };
    return {
      SummaryMap: {
        ...QUOTAS,
        Users: count("user"),
        Groups: count("group"),
        Roles: count("role"),
        Policies: count("policy"),
        InstanceProfiles: count("instance-profile"),
        ServerCertificates: count("server-certificate"),
        MFADevices: count("mfa-device"),
        MFADevicesInUse: count("user-mfa"),
        Providers: count("oidc-provider") + count("saml-provider"),
        PolicyVersionsInUse: count("policy-version"),
        AccountAccessKeysPresent: 0,
        AccountMFAEnabled: 0,
        AccountPasswordPresent: 1,
        AccountSigningCertificatesPresent: 0,
        GlobalEndpointTokenVersion: tokenVersion(account) === "v2Token" ? 2 : 1,
      },
    };
  };

  /** Tokens are the same here whatever their version is: they hold no region. */
  const SetSecurityTokenServicePreferences: Handler<Iam, "SetSecurityTokenServicePreferences"> = async (
    input,
    { account },
  ) => {
    await documents.commit([{ key: tokenVersionKey(account), value: input.GlobalEndpointTokenVersion }]);
    return {};
  };

  function tokenVersion(account: string): string | undefined {
    return documents.get<string>(tokenVersionKey(account))?.value;
  }

  const UpdateAccountPasswordPolicy: Handler<Iam, "UpdateAccountPasswordPolicy"> = async (input, call) => {
    const policy: PasswordPolicy = {
      MinimumPasswordLength: input.MinimumPasswordLength ?? 6,
      RequireSymbols: input.RequireSymbols ?? false,
      RequireNumbers: input.RequireNumbers ?? false,
      RequireUppercaseCharacters: input.RequireUppercaseCharacters ?? false,
      RequireLowercaseCharacters: input.RequireLowercaseCharacters ?? false,
      AllowUsersToChangePassword: input.AllowUsersToChangePassword ?? false,
      HardExpiry: input.HardExpiry ?? false,
      ...(input.MaxPasswordAge === undefined ? {} : { MaxPasswordAge: input.MaxPasswordAge }),
      ...(input.PasswordReusePrevention === undefined
        ? {}
        : { PasswordReusePrevention: input.PasswordReusePrevention }),
    };
    await documents.commit([{ key: passwordPolicyKey(call.account), value: policy }]);
    return {};
  };

  const GetAccountPasswordPolicy: Handler<Iam, "GetAccountPasswordPolicy"> = (_input, call) => {
    const policy = documents.get<PasswordPolicy>(passwordPolicyKey(call.account))?.value;
    if (policy === undefined) throw iamErrors.passwordPolicyMissing(call.account);
    return { PasswordPolicy: { ...policy, ExpirePasswords: policy.MaxPasswordAge !== undefined } };
  };

  const DeleteAccountPasswordPolicy: Handler<Iam, "DeleteAccountPasswordPolicy"> = async (_input, call) => {
    if (documents.get(passwordPolicyKey(call.account)) === undefined)
      throw iamErrors.passwordPolicyMissing(call.account);
    await documents.commit([{ key: passwordPolicyKey(call.account), delete: true }]);
    return {};
  };

  return {
    CreateAccountAlias,
    DeleteAccountAlias,
    ListAccountAliases,
    GetAccountSummary,
    SetSecurityTokenServicePreferences,
    UpdateAccountPasswordPolicy,
    GetAccountPasswordPolicy,
    DeleteAccountPasswordPolicy,
  } satisfies OperationsOf<Iam>;
}
