import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createIamService } from "../../../src/services/iam/service.ts";
import { testCall } from "../../support/call.ts";
import { iamDeps } from "../../support/iam-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording, type Json } from "../lambda/recording.ts";

const storage = withStorage();

/** Runs an operation as the account's root; documents in outcomes are decoded. */
async function call(operation: string, input: object): Promise<Record<string, Json>> {
  const iam = createIamService(iamDeps(storage().documents));
  const handler = iam.operations[operation];
  if (handler === undefined) throw new Error(`${operation} has no handler`);
  const output: unknown = await handler(input as never, testCall());
  return decoded(JSON.parse(JSON.stringify(output)) as Json) as Record<string, Json>;
}

function decoded(value: Json): Json {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === "AssumeRolePolicyDocument" && typeof member === "string"
        ? (JSON.parse(decodeURIComponent(member)) as Json)
        : decoded(member),
    ]),
  );
}

const recording = (scenario: string) => new Recording("iam", scenario, import.meta.dirname);
const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const trust = (Service: string) =>
  document({ Action: "sts:AssumeRole", Effect: "Allow", Principal: { Service } });

describe("roles", () => {
  it("with a path", async () => {
    const recorded = recording("test_role_with_path_lifecycle");
    const RoleName = "r";
    const AssumeRolePolicyDocument = trust("lambda.amazonaws.com");
    await recorded.expect(
      "create-role-response",
      call("CreateRole", { RoleName, Path: "/path/", AssumeRolePolicyDocument }),
    );
    await recorded.expect("get-role-response", call("GetRole", { RoleName }));
    await recorded.expect("delete-role-response", call("DeleteRole", { RoleName }));
  });

  it("are listed as they are described", async () => {
    const recorded = recording("test_create_describe_role");
    const AssumeRolePolicyDocument = trust("ec2.amazonaws.com");
    const input = { RoleName: "r", Path: "/prefix/", AssumeRolePolicyDocument };
    await recorded.expect("create_role_result", call("CreateRole", input));
    await recorded.expect("get_role_result", call("GetRole", { RoleName: "r" }));
    await recorded.expect("list_roles_result", call("ListRoles", { PathPrefix: "/prefix/" }));
  });

  it.each(["Role", "User"])("and users have policies attached: %s", async (kind) => {
    const recorded = recording(`test_${kind.toLowerCase()}_attach_policy`);
    const name = { [`${kind}Name`]: "n" };
    const more = kind === "Role" ? { AssumeRolePolicyDocument: trust("ec2.amazonaws.com") } : {};
    await call(`Create${kind}`, { ...name, ...more });
    const PolicyDocument = document({ Effect: "Allow", Action: "lambda:*", Resource: "*" });
    await recorded.expect(
      "create_policy_response",
      call("CreatePolicy", { PolicyName: "p", PolicyDocument }),
    );
    const attach = (PolicyArn: string) => call(`Attach${kind}Policy`, { ...name, PolicyArn });
    await recorded.expect("non_existent_malformed_policy_arn", attach("longpolicynamebutnoarn"));
    await recorded.expect("existing_policy_name_provided", attach("p"));
    await recorded.expect("valid_arn_not_existent", attach("arn:aws:iam::111111111111:policy/p123"));
    await recorded.expect("valid_policy_arn", attach("arn:aws:iam::111111111111:policy/p"));
  });

  it("tell of policies that are not there", async () => {
    const recorded = recording("test_delete_non_existent_policy_returns_no_such_entity");
    const PolicyArn = "arn:aws:iam::111111111111:policy/non-existent-policy";
    await recorded.expect("delete-non-existent-policy-exc", call("DeletePolicy", { PolicyArn }));
  });
});

describe("simulation", () => {
  it.each(["Role", "User"])("of a %s's policies", async (kind) => {
    const recorded = recording(`test_simulate_principle_policy[${kind.toLowerCase()}]`);
    const name = { [`${kind}Name`]: "n" };
    const more = kind === "Role" ? { AssumeRolePolicyDocument: trust("lambda.amazonaws.com") } : {};
    const created = await call(`Create${kind}`, { ...name, ...more });
    // As Python's json writes it, with a space after each colon and comma: the recorded columns depend on it.
    const PolicyDocument =
      '{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}';
    await call(`Put${kind}Policy`, { ...name, PolicyName: "p", PolicyDocument });
    await recorded.expect(
      "response",
      call("SimulatePrincipalPolicy", {
        PolicySourceArn: (created[kind] as { Arn: string }).Arn,
        ActionNames: ["s3:PutObject", "s3:GetObjectVersion"],
        ResourceArns: ["arn:aws:s3:::bucket"],
      }),
    );
  });

  it("sees boundaries, resource policies, conditions and what keys are missing", async () => {
    const allow = (Action: string, more: object = {}) =>
      document({ Effect: "Allow", Action, Resource: "*", ...more });
    const simulate = async (input: object) => {
      const { EvaluationResults } = await call("SimulateCustomPolicy", {
        ActionNames: ["s3:GetObject"],
        ...input,
      });
      return (EvaluationResults as Record<string, Json>[])[0];
    };
    const Condition = { StringEquals: { "aws:PrincipalTag/Team": "blue" } };
    expect(await simulate({ PolicyInputList: [allow("s3:*", { Condition })] })).toMatchObject({
      EvalDecision: "implicitDeny",
      MissingContextValues: ["aws:PrincipalTag/Team"],
    });
    const entry = {
      ContextKeyName: "aws:principaltag/team",
      ContextKeyValues: ["blue"],
      ContextKeyType: "string",
    };
    expect(
      await simulate({ PolicyInputList: [allow("s3:*", { Condition })], ContextEntries: [entry] }),
    ).toMatchObject({ EvalDecision: "allowed", MissingContextValues: [] });
    expect(
      await simulate({
        PolicyInputList: [allow("s3:*")],
        PermissionsBoundaryPolicyInputList: [allow("sqs:*")],
      }),
    ).toMatchObject({
      EvalDecision: "implicitDeny",
      PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: false },
    });
    expect(
      await simulate({
        PolicyInputList: [allow("s3:*"), document({ Effect: "Deny", Action: "s3:Get*", Resource: "*" })],
      }),
    ).toMatchObject({
      EvalDecision: "explicitDeny",
      MatchedStatements: [{ SourcePolicyId: "PolicyInputList.2" }],
    });
    expect(
      await call("GetContextKeysForCustomPolicy", { PolicyInputList: [allow("s3:*", { Condition })] }),
    ).toEqual({ ContextKeyNames: ["aws:PrincipalTag/Team"] });
  });
});

describe("service-linked roles", () => {
  const text = readFileSync(join(import.meta.dirname, "recordings/iam.json"), "utf8");
  const scenarios = Object.keys(JSON.parse(text) as object);
  const ofServices = (prefix: string) =>
    scenarios
      .filter((name) => name.startsWith(`${prefix}[`))
      .map((name) => name.slice(prefix.length + 1, -1));

  it.each(ofServices("test_service_role_lifecycle"))("of %s", async (service) => {
    const recorded = recording(`test_service_role_lifecycle[${service}]`);
    const { Role } = await call("CreateServiceLinkedRole", { AWSServiceName: service });
    const { RoleName } = Role as { RoleName: string };
    const attached = await call("ListAttachedRolePolicies", { RoleName });
    recorded.compare(withoutMetadata(recorded.read("attached-role-policies")), attached, "attached");
    await recorded.expect("inline-role-policies", call("ListRolePolicies", { RoleName }));
    const described = (await call("GetRole", { RoleName }))["Role"] as Record<string, Json>;
    const expected = (recorded.read("describe-response") as { Role: Record<string, Json> }).Role;
    // Whether AWS itself had used one already is not to be repeated.
    recorded.compare({ ...expected, RoleLastUsed: {} }, described, "described");
  });

  it.each(ofServices("test_service_role_lifecycle_custom_suffix_not_allowed"))(
    "of %s take no suffix",
    async (service) => {
      const recorded = recording(`test_service_role_lifecycle_custom_suffix_not_allowed[${service}]`);
      await recorded.expect(
        "custom-suffix-not-allowed",
        call("CreateServiceLinkedRole", { AWSServiceName: service, CustomSuffix: "x" }),
      );
    },
  );

  it("are taken once, and deleted", async () => {
    const AWSServiceName = "batch.amazonaws.com";
    await call("CreateServiceLinkedRole", { AWSServiceName });
    await recording("test_service_role_already_exists").expect(
      "role-already-exists-error",
      call("CreateServiceLinkedRole", { AWSServiceName }),
    );
    const recorded = recording("test_service_role_deletion");
    const RoleName = "AWSServiceRoleForBatch";
    const deletion = call("DeleteServiceLinkedRole", { RoleName });
    await recorded.expect("service-linked-role-deletion-response", deletion);
    const { DeletionTaskId } = await deletion;
    await recorded.expect(
      "service-linked-role-deletion-status-response",
      call("GetServiceLinkedRoleDeletionStatus", { DeletionTaskId }),
    );
  });
});

describe("service-specific credentials", () => {
  it.each(["codecommit.amazonaws.com", "cassandra.amazonaws.com"])("of %s", async (ServiceName) => {
    const recorded = recording(`test_service_specific_credential_lifecycle[${ServiceName}]`);
    const UserName = "u";
    await recorded.expect("create-user-response", call("CreateUser", { UserName }));
    const made = call("CreateServiceSpecificCredential", { UserName, ServiceName });
    await recorded.expect("create-service-specific-credential-response", made);
    const credential = (await made)["ServiceSpecificCredential"] as { ServiceSpecificCredentialId: string };
    const { ServiceSpecificCredentialId } = credential;
    const list = () => call("ListServiceSpecificCredentials", { UserName });
    await recorded.expect("list-service-specific-credentials-response-before-update", list());
    const named = { UserName, ServiceSpecificCredentialId };
    await recorded.expect(
      "update-service-specific-credential-response",
      call("UpdateServiceSpecificCredential", { ...named, Status: "Inactive" }),
    );
    await recorded.expect("list-service-specific-credentials-response-after-update", list());
    await recorded.expect(
      "reset-service-specific-credential-response",
      call("ResetServiceSpecificCredential", named),
    );
    await recorded.expect(
      "delete-service-specific-credentials-response",
      call("DeleteServiceSpecificCredential", named),
    );
  });

  it("keep their user from being deleted", async () => {
    const recorded = recording("test_delete_user_after_service_credential_created");
    await call("CreateUser", { UserName: "u" });
    await call("CreateServiceSpecificCredential", { UserName: "u", ServiceName: "codecommit.amazonaws.com" });
    await recorded.expect("delete-user-existing-credential", call("DeleteUser", { UserName: "u" }));
  });

  it("are their user's alone", async () => {
    const nobody = recording("test_create_service_specific_credential_invalid_user");
    const ServiceName = "codecommit.amazonaws.com";
    await nobody.expect(
      "invalid-user-name-exception",
      call("CreateServiceSpecificCredential", { UserName: "non-existent-user", ServiceName }),
    );
    const wrong = recording("test_id_match_user_mismatch");
    const named = { UserName: "wrong-user-name", ServiceSpecificCredentialId: "ACCA" };
    await wrong.expect("delete-wrong-user-name", call("DeleteServiceSpecificCredential", named));
    await wrong.expect("reset-wrong-user-name", call("ResetServiceSpecificCredential", named));
    await wrong.expect("update-wrong-user-name", call("UpdateServiceSpecificCredential", named));
  });
});

function withoutMetadata(recorded: Json): Json {
  const { ResponseMetadata: _, ...rest } = recorded as Record<string, Json>;
  return rest;
}
