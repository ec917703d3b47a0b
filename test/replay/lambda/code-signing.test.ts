import { beforeEach, describe, expect, test } from "vitest";
import type { MetricAddress } from "../../../src/engine/contract.ts";
import {
  ACCOUNT,
  ARCHIVE,
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
let counted: string[];
const FunctionName = "fn";
const PROFILE = `arn:aws:signer:${REGION}:${ACCOUNT}:/signing-profiles/test`;
const ABSENT = `arn:aws:lambda:${REGION}:${ACCOUNT}:code-signing-config:csc-00000000000000000`;

beforeEach(() => {
  counted = [];
  const metrics = {
    series: ({ name }: MetricAddress) => ({ record: () => void counted.push(name), close: () => {} }),
  };
  lambda = createLambdaFixture(storage(), { metrics });
});

const create = (UntrustedArtifactOnDeployment: "Warn" | "Enforce") =>
  lambda.call("CreateCodeSigningConfig", {
    Description: "Testing CodeSigning Config",
    AllowedPublishers: { SigningProfileVersionArns: [PROFILE] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment },
  });

const arnOf = async (policy: "Warn" | "Enforce") =>
  (await create(policy)).CodeSigningConfig?.CodeSigningConfigArn ?? "";

describe("code signing", () => {
  test("test_function_code_signing_config", async () => {
    const recording = new Recording("code-signing", "test_function_code_signing_config");
    await lambda.create(FunctionName);
    const created = create("Enforce");
    await recording.expect("create_code_signing_config", created);
    const { CodeSigningConfigArn = "" } = (await created).CodeSigningConfig ?? {};
    expect(CodeSigningConfigArn).toMatch(/:code-signing-config:csc-[a-z0-9]{17}$/);
    const config = { CodeSigningConfigArn };
    const both = { ...config, FunctionName };
    const update = lambda.call("UpdateCodeSigningConfig", {
      ...config,
      CodeSigningPolicies: { UntrustedArtifactOnDeployment: "Warn" },
    });
    await recording.expect("update_code_signing_config", update);
    await recording.expect("get_code_signing_config", lambda.call("GetCodeSigningConfig", config));
    const put = lambda.call("PutFunctionCodeSigningConfig", both);
    await recording.expect("put_function_code_signing_config", put);
    const get = () => lambda.call("GetFunctionCodeSigningConfig", { FunctionName });
    await recording.expect("get_function_code_signing_config", get());
    const list = lambda.call("ListCodeSigningConfigs", {}).then((page) => page.CodeSigningConfigs?.[0]);
    await recording.expect("list_code_signing_configs", list);
    const users = () => lambda.call("ListFunctionsByCodeSigningConfig", config);
    await recording.expect("list_functions_by_code_signing_config", users());
    expect(await errorOf(lambda.call("DeleteCodeSigningConfig", config))).toMatchObject({ status: 409 });
    await lambda.call("DeleteFunctionCodeSigningConfig", { FunctionName });
    expect((await get()).CodeSigningConfigArn).toBeUndefined();
    expect((await users()).FunctionArns).toEqual([]);
    await lambda.call("DeleteCodeSigningConfig", config);
    for (const problem of await Promise.all([
      errorOf(lambda.call("GetCodeSigningConfig", config)),
      errorOf(lambda.call("DeleteCodeSigningConfig", config)),
      errorOf(users()),
    ]))
      expect(problem).toMatchObject({ code: "ResourceNotFoundException", status: 404 });
  });

  test("Enforce refuses unsigned code and layers, and changes nothing", async () => {
    const CodeSigningConfigArn = await arnOf("Enforce");
    const refused = await errorOf(
      lambda.call("CreateFunction", newFunction(FunctionName, { CodeSigningConfigArn })),
    );
    expect(refused).toMatchObject({ code: "CodeVerificationFailedException", status: 400 });
    await expect(lambda.call("GetFunction", { FunctionName })).rejects.toThrow("Function not found");

    const { CodeSha256 } = await lambda.create(FunctionName);
    await lambda.call("PutFunctionCodeSigningConfig", { FunctionName, CodeSigningConfigArn });
    const layer = await lambda.call("PublishLayerVersion", { LayerName: "l", Content: { ZipFile: ARCHIVE } });
    for (const change of [
      lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE }),
      lambda.call("UpdateFunctionConfiguration", {
        FunctionName,
        Layers: [layer.LayerVersionArn ?? ""],
      }),
    ])
      expect((await errorOf(change)).code).toBe("CodeVerificationFailedException");
    const after = await lambda.call("GetFunctionConfiguration", { FunctionName });
    expect([after.CodeSha256, after.Layers]).toEqual([CodeSha256, undefined]);
    // What brings no code is none of its business.
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Description: "new" });
    expect(counted).toEqual([]);
  });

  test("Warn counts unsigned code and lets it pass", async () => {
    const CodeSigningConfigArn = await arnOf("Warn");
    await lambda.create(FunctionName, { CodeSigningConfigArn });
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE });
    expect(counted).toEqual(["SignatureValidationErrors", "SignatureValidationErrors"]);
    const attached = await lambda.call("GetFunctionCodeSigningConfig", { FunctionName });
    expect(attached).toEqual({ FunctionName, CodeSigningConfigArn });
  });

  test("a configuration that is not there is not attached; a function's goes with it", async () => {
    await lambda.create(FunctionName);
    const put = lambda.call("PutFunctionCodeSigningConfig", { FunctionName, CodeSigningConfigArn: ABSENT });
    expect(await errorOf(put)).toMatchObject({ code: "CodeSigningConfigNotFoundException", status: 404 });
    const input = newFunction("other", { CodeSigningConfigArn: ABSENT });
    const made = await errorOf(lambda.call("CreateFunction", input));
    expect(made.code).toBe("CodeSigningConfigNotFoundException");

    const CodeSigningConfigArn = await arnOf("Warn");
    await lambda.call("PutFunctionCodeSigningConfig", { FunctionName, CodeSigningConfigArn });
    await lambda.call("DeleteFunction", { FunctionName });
    await lambda.call("DeleteCodeSigningConfig", { CodeSigningConfigArn });
  });

  test("configurations are tagged", async () => {
    const Resource = await arnOf("Warn");
    await lambda.call("TagResource", { Resource, Tags: { a: "1", b: "2" } });
    await lambda.call("UntagResource", { Resource, TagKeys: ["a"] });
    expect(await lambda.call("ListTags", { Resource })).toEqual({ Tags: { b: "2" } });
    expect(await errorOf(lambda.call("ListTags", { Resource: ABSENT }))).toMatchObject({ status: 404 });
  });
});
