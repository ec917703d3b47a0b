import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createIamAuthorisation } from "./authorisation.ts";

const storage = withStorage();
const ARN = "arn:aws:iam::111111111111:";

function ask(operation: string, input: object): readonly string[] {
  const { documents, principals } = iamDeps(storage().documents);
  const { questions, shownForNone } = createIamAuthorisation(documents, principals);
  const call = testCall("111111111111");
  const asked = questions[operation]?.(input as never, call) ?? [
    { action: `iam:${operation}`, resource: "*", shown: shownForNone?.(call) },
  ];
  return asked.map(({ action, resource, shown = resource }) => `${action} on resource: ${shown}`);
}

// As users quote AWS's denials.
it.each([
  ["CreateRole", { RoleName: "r" }, `${ARN}role/r`],
  ["GetRole", { RoleName: "r" }, "role r"],
  ["AttachRolePolicy", { RoleName: "r", PolicyArn: "arn:p" }, "role r"],
  ["ListInstanceProfilesForRole", { RoleName: "r" }, "role r"],
  ["CreateUser", { UserName: "u" }, `${ARN}user/u`],
  ["GetUser", { UserName: "u" }, "user u"],
  ["CreateAccessKey", { UserName: "u" }, "user u"],
  ["CreateGroup", { GroupName: "g" }, `${ARN}group/g`],
  ["AddUserToGroup", { GroupName: "g", UserName: "u" }, "group g"],
  ["CreatePolicy", { PolicyName: "p" }, "policy p"],
  ["GetPolicy", { PolicyArn: "arn:aws:iam::aws:policy/p" }, "policy arn:aws:iam::aws:policy/p"],
  ["CreateInstanceProfile", { InstanceProfileName: "i" }, `${ARN}instance-profile/i`],
  ["GetInstanceProfile", { InstanceProfileName: "i" }, "instance profile i"],
  ["CreateVirtualMFADevice", { VirtualMFADeviceName: "d" }, `${ARN}mfa/d`],
  ["ListVirtualMFADevices", {}, `${ARN}mfa/`],
  ["ListUsers", {}, `${ARN}user/`],
  ["ListRoles", { PathPrefix: "/aws-service-role/" }, `${ARN}role/aws-service-role/`],
  ["ListPolicies", {}, "policy path /"],
  ["SimulatePrincipalPolicy", { PolicySourceArn: `${ARN}role/r` }, `${ARN}role/r`],
  ["CreateOpenIDConnectProvider", { Url: "https://idp.example/a" }, `${ARN}oidc-provider/idp.example/a`],
  ["GetAccountSummary", {}, "*"],
  ["ListAccountAliases", {}, "*"],
])("a denial of %s with %j names %s", (operation, input, shown) => {
  expect(ask(operation, input)).toEqual([`iam:${operation} on resource: ${shown}`]);
});

it("asks for the permission to tag what is made with tags", () => {
  const Tags = [{ Key: "k", Value: "v" }];
  expect(ask("CreateRole", { RoleName: "r", Tags })).toEqual([
    `iam:CreateRole on resource: ${ARN}role/r`,
    `iam:TagRole on resource: ${ARN}role/r`,
  ]);
  expect(ask("CreatePolicy", { PolicyName: "p", Tags })).toEqual([
    "iam:CreatePolicy on resource: policy p",
    `iam:TagPolicy on resource: ${ARN}policy/p`,
  ]);
});
