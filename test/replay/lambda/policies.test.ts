import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  OTHER_ARCHIVE,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";
const BUCKET = "arn:aws:s3:::bucket";
const ARN = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`;

type Input = Parameters<typeof lambda.call<"AddPermission">>[1];

beforeEach(async () => {
  lambda = createLambdaFixture(storage());
  await lambda.create(FunctionName, { Handler: "handler.handler", Timeout: 30, Environment: {} });
});

const add = (input: Partial<Input> = {}) =>
  lambda.call("AddPermission", {
    FunctionName,
    StatementId: "s3",
    Action: "lambda:InvokeFunction",
    Principal: "s3.amazonaws.com",
    ...input,
  });
const remove = (input: object = {}) =>
  lambda.call("RemovePermission", { FunctionName, StatementId: "s3", ...input });
const get = (Qualifier?: string) => lambda.call("GetPolicy", { FunctionName, Qualifier });
const publish = async () => {
  await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE });
  await lambda.service.idle();
  return lambda.call("PublishVersion", { FunctionName });
};
const revision = async (Qualifier?: string) =>
  (await lambda.call("GetFunctionConfiguration", { FunctionName, Qualifier })).RevisionId;

/** The recorder read the JSON in these members. */
async function parsed(outcome: Promise<unknown>): Promise<unknown> {
  const output = (await outcome) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [
      name,
      name === "Policy" || name === "Statement" ? JSON.parse(value as string) : value,
    ]),
  );
}

describe("policies of functions", () => {
  test("test_add_lambda_permission_fields", async () => {
    const recording = new Recording("policies", "test_add_lambda_permission_fields");
    const step = (name: string, input: Partial<Input>) => recording.expect(name, parsed(add(input)));
    const SourceAccount = ACCOUNT;
    const Principal = "*";
    await step("add_permission_principal_wildcard", { StatementId: "wilcard", Principal, SourceAccount });
    await step("add_permission_principal_service", {
      StatementId: "lambda",
      Principal: "lambda.amazonaws.com",
      SourceAccount,
    });
    await step("add_permission_principal_account", { StatementId: "account-id", Principal: ACCOUNT });
    await step("add_permission_principal_arn", {
      StatementId: "user-arn",
      Principal: `arn:aws:iam::${ACCOUNT}:user/someone`,
      SourceAccount,
    });
    await step("add_permission_optional_fields", {
      StatementId: "urlPermission",
      Action: "lambda:InvokeFunctionUrl",
      Principal,
      SourceArn: BUCKET,
      SourceAccount,
      PrincipalOrgID: "o-1234567890",
      FunctionUrlAuthType: "NONE",
    });
    await step("add_permission_alexa_skill", {
      StatementId: "alexaSkill",
      Principal,
      EventSourceToken: "amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
    });
  });

  test("test_lambda_permission_versioning", async () => {
    const recording = new Recording("policies", "test_lambda_permission_versioning");
    const SourceArn = BUCKET;
    await recording.expect("add_permission", parsed(add({ SourceArn })));
    await recording.expect("get_policy", parsed(get()));
    await publish();
    await recording.expect("get_policy_after_publishing_new_version", get("1"));
    const latest = parsed(get());
    const { RevisionId } = (await latest) as { RevisionId: string };
    expect(RevisionId).toBe(await revision());
    await add({ SourceArn, StatementId: "s3", Qualifier: "1" });
    expect(JSON.parse((await get("1")).Policy ?? "")).toMatchObject({
      Statement: [{ Sid: "s3", Resource: `${ARN}:1` }],
    });
    await add({ SourceArn, StatementId: "s3_2" });
    await recording.expect("get_policy_after_adding_2", parsed(get()));
  });

  test("test_function_revisions_permissions", async () => {
    const recording = new Recording("policies", "test_function_revisions_permissions");
    const RevisionId = await revision();
    await recording.expect("add_permission_revision_exception", add({ RevisionId: "wrong" }));
    await add({ RevisionId });
    expect(await revision()).not.toBe(RevisionId);
    expect((await get()).RevisionId).toBe(await revision());
    await recording.expect("add_permission_revision_exception", add({ RevisionId, StatementId: "other" }));
  });

  test("test_lambda_permission_revisions", async () => {
    const recording = new Recording("policies", "test_lambda_permission_revisions");
    const SourceArn = BUCKET;
    await add({ SourceArn });
    await add({ SourceArn, StatementId: "s3_2" });
    await publish();
    await recording.expect("get_policy_after_publish_version", parsed(get()));
    await add({ SourceArn, StatementId: "s3_2", Qualifier: "1" });
    await recording.expect("get_policy_v1_after_publish_version", parsed(get("1")));
    const before = await revision("1");
    await add({ SourceArn, StatementId: "s3_3", Qualifier: "1", RevisionId: before });
    await recording.expect("get_policy_v1_after_add_permission9", parsed(get("1")));
    await recording.expect("remove_permission_fn_revision_id_doesnotmatch", remove({ RevisionId: "wrong" }));
    await remove({ RevisionId: await revision() });
    await remove({ StatementId: "s3_3", Qualifier: "1", RevisionId: await revision("1") });
  });
});

describe("beyond the recordings", () => {
  test("what cannot be added is refused, and leaves the policy as it was", async () => {
    await add();
    const problems = await Promise.all([
      errorOf(add()),
      errorOf(add({ Qualifier: "$LATEST" })),
      errorOf(add({ StatementId: "a", Principal: "nobody" })),
      errorOf(add({ StatementId: "b", Qualifier: "7" })),
      errorOf(add({ StatementId: "c", Qualifier: "alias" })),
      errorOf(add({ StatementId: "d", FunctionUrlAuthType: "NONE" })),
      errorOf(remove({ StatementId: "absent" })),
      errorOf(remove({ FunctionName: "absent" })),
    ]);
    expect(problems.map(({ code, status }) => [code, status])).toEqual([
      ["ResourceConflictException", 409],
      ["InvalidParameterValueException", 400],
      ["InvalidParameterValueException", 400],
      ["ResourceNotFoundException", 404],
      ["ResourceNotFoundException", 404],
      ["InvalidParameterValueException", 400],
      ["ResourceNotFoundException", 404],
      ["ResourceNotFoundException", 404],
    ]);
    expect(problems[4]?.message).toBe(`Cannot find alias arn: ${ARN}:alias`);
    const { Statement } = JSON.parse((await get()).Policy ?? "") as { Statement: unknown[] };
    expect(Statement).toHaveLength(1);
  });

  test("a policy ends with its last statement, its alias and its function", async () => {
    await add();
    await remove();
    expect((await errorOf(get())).code).toBe("ResourceNotFoundException");
    expect((await errorOf(remove())).message).toBe("No policy is associated with the given resource.");

    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "$LATEST" });
    await add({ Qualifier: "live" });
    await lambda.call("DeleteAlias", { FunctionName, Name: "live" });
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "$LATEST" });
    expect((await errorOf(get("live"))).code).toBe("ResourceNotFoundException");

    await add();
    await lambda.call("DeleteFunction", { FunctionName });
    await lambda.create(FunctionName);
    expect((await errorOf(get())).message).toBe("The resource you requested does not exist.");
  });

  test("parallel additions are all kept", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(ids.map((StatementId) => add({ StatementId })));
    const { Statement } = JSON.parse((await get()).Policy ?? "") as { Statement: { Sid: string }[] };
    expect(Statement.map(({ Sid }) => Sid).toSorted()).toEqual(ids.toSorted());
  });

  test("a policy is no longer than 20 KB", async () => {
    const SourceArn = `arn:aws:s3:::${"b".repeat(9000)}`;
    await add({ SourceArn });
    await add({ SourceArn, StatementId: "two" });
    expect(await errorOf(add({ SourceArn, StatementId: "three" }))).toMatchObject({
      code: "PolicyLengthExceededException",
    });
  });

  test("InvokedViaFunctionUrl becomes a condition", async () => {
    const Action = "lambda:InvokeFunction";
    const { Statement } = await add({ Principal: "*", Action, InvokedViaFunctionUrl: true });
    expect(JSON.parse(Statement ?? "")).toMatchObject({
      Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
    });
  });
});

describe("resource policies as a whole", () => {
  const statement = {
    Sid: "one",
    Effect: "Allow",
    Principal: { AWS: ["arn:aws:iam::222222222222:root"] },
    Action: "lambda:InvokeFunction",
    Resource: ARN,
  };
  const put = (policy: unknown, RevisionId?: string) =>
    lambda.call("PutResourcePolicy", {
      ResourceArn: ARN,
      Policy: typeof policy === "string" ? policy : JSON.stringify(policy),
      RevisionId,
    });

  test("they take the place of what AddPermission made, and are read and deleted", async () => {
    await add();
    const document = { Version: "2012-10-17", Statement: [statement] };
    const { Policy, RevisionId } = await put(document, await revision());
    expect(JSON.parse(Policy ?? "")).toEqual(document);
    expect(RevisionId).toBe(await revision());
    expect(await lambda.call("GetResourcePolicy", { ResourceArn: ARN })).toEqual({ Policy, RevisionId });
    expect((await get()).Policy).toBe(Policy);
    const stale = lambda.call("DeleteResourcePolicy", { ResourceArn: ARN, RevisionId: "stale" });
    expect((await errorOf(stale)).status).toBe(412);
    await lambda.call("DeleteResourcePolicy", { ResourceArn: ARN, RevisionId });
    const gone = await errorOf(lambda.call("GetResourcePolicy", { ResourceArn: ARN }));
    expect(gone.code).toBe("ResourceNotFoundException");
  });

  test.each([
    ["not JSON", "{"],
    ["no object", "[]"],
    ["no statement", { Version: "2012-10-17", Statement: [] }],
    ["an unknown version", { Version: "2020-01-01", Statement: [statement] }],
    ["an unknown element", { Version: "2012-10-17", Statement: [{ ...statement, Extra: 1 }] }],
    ["another resource", { Version: "2012-10-17", Statement: [{ ...statement, Resource: "*" }] }],
    ["no principal", { Version: "2012-10-17", Statement: [{ ...statement, Principal: undefined }] }],
    ["an unknown effect", { Version: "2012-10-17", Statement: [{ ...statement, Effect: "Maybe" }] }],
    ["two equal Sids", { Version: "2012-10-17", Statement: [statement, statement] }],
    ["a condition of no form", { Version: "2012-10-17", Statement: [{ ...statement, Condition: "x" }] }],
  ])("refuses a policy with %s", async (_, policy) => {
    expect((await errorOf(put(policy))).code).toBe("InvalidParameterValueException");
    await expect(get()).rejects.toThrow("does not exist");
  });
});
