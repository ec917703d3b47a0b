import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  ARCHIVE,
  createLambdaFixture,
  newFunction,
  OTHER_ARCHIVE,
  REGION,
  ROLE,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

const plain = (name: string) => newFunction(name, { Handler: "handler.handler" });

describe("functions", () => {
  test("test_function_state", async () => {
    const recording = new Recording("functions", "test_function_state");
    await recording.expect("create-fn-response", lambda.call("CreateFunction", plain("fn")));
    await lambda.service.idle();
    await recording.expect("get-fn-response", lambda.call("GetFunction", { FunctionName: "fn" }));
  });

  test("test_lambda_code_location_zipfile", async () => {
    const recording = new Recording("functions", "test_lambda_code_location_zipfile");
    await recording.expect("create-response-zip-file", lambda.call("CreateFunction", newFunction("fn")));
    await lambda.service.idle();
    await recording.expect("get-function-response", lambda.call("GetFunction", { FunctionName: "fn" }));
    lambda.engine.hold();
    const update = lambda.call("UpdateFunctionCode", { FunctionName: "fn", ZipFile: OTHER_ARCHIVE });
    await recording.expect("update-function-response", update);
    await recording.expect(
      "get-function-response-updated",
      lambda.call("GetFunction", { FunctionName: "fn" }),
    );
    lambda.engine.release();
    await lambda.service.idle();
  });

  test("test_create_lambda_exceptions", async () => {
    const recording = new Recording("functions", "test_create_lambda_exceptions");
    const create = (input: object) => lambda.call("CreateFunction", newFunction("fn", input));
    await recording.expect("invalid_runtime_exc", create({ Runtime: "non-existent-runtime" }));
    await recording.expect("uppercase_runtime_exc", create({ Runtime: "PYTHON3.9" }));
    await recording.expect("invalid_zip_exc", create({ Code: { ZipFile: Buffer.from("x") } }));
    await expect(lambda.call("GetFunction", { FunctionName: "fn" })).rejects.toThrow("Function not found");
  });

  test.each(["dotnetcore3.1", "nodejs12.x", "nodejs14.x", "provided", "ruby2.7"])(
    "deprecated runtime %s",
    async (runtime) => {
      const scenario = `test_create_deprecated_function_runtime_with_validation_enabled[${runtime}]`;
      const recording = new Recording("functions", scenario);
      const input = { Runtime: runtime as "ruby2.7" };
      await recording.expect("deprecation_error", lambda.call("CreateFunction", newFunction("fn", input)));
    },
  );

  test("test_update_lambda_exceptions", async () => {
    const recording = new Recording("functions", "test_update_lambda_exceptions");
    await lambda.create("fn");
    const update = (runtime: string) =>
      lambda.call("UpdateFunctionConfiguration", { FunctionName: "fn", Runtime: runtime as "ruby2.7" });
    await recording.expect("invalid_runtime_exc", update("non-existent-runtime"));
    await recording.expect("uppercase_runtime_exc", update("PYTHON3.9"));
  });

  test("test_function_arns", async () => {
    const recording = new Recording("functions", "test_function_arns");
    const create = (name: string) =>
      lambda.call("CreateFunction", { ...plain(name), Timeout: 30, Environment: { Variables: {} } });
    await recording.expect(
      "create-function-arn-response",
      create(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:one`),
    );
    const other = newFunction(`${ACCOUNT}:function:two`, {
      Handler: "handler.handler",
      Timeout: 30,
      Environment: { Variables: {} },
      Code: { ZipFile: OTHER_ARCHIVE },
    });
    // The two archives of the recording happen to be of one size.
    expect(OTHER_ARCHIVE.length).toBe(ARCHIVE.length);
    await recording.expect("create-function-partial-arn-response", lambda.call("CreateFunction", other));
    await recording.expect(
      "function_arn_other_region_exc",
      create(`arn:aws:lambda:ap-southeast-1:${ACCOUNT}:function:one`),
    );
    await recording.expect("long_function_name_exc", create("a".repeat(65)));
    await lambda.service.idle();
  });

  test("environment variables and the 4 KB limit", async () => {
    const create = (name: string, variables: Record<string, string>) =>
      lambda.call("CreateFunction", { ...plain(name), Timeout: 30, Environment: { Variables: variables } });
    await new Recording("functions", "test_lambda_envvars_near_limit_succeeds").expect(
      "successful_create_fn_result",
      create("near", { LARGE_VAR: "x".repeat(4080) }),
    );
    await new Recording("functions", "test_large_environment_variables_fails").expect(
      "failed_create_fn_result",
      create("over", { LARGE_VAR: "x".repeat(4081) }),
    );
    await new Recording("functions", "test_large_environment_fails_multiple_keys").expect(
      "failured_create_fn_result_multi_key",
      create("over", { SMALL_VAR: "ok", LARGE_VAR: "x".repeat(4064) }),
    );
    await lambda.service.idle();
  });

  test("test_lambda_concurrent_code_updates", async () => {
    const recording = new Recording("functions", "test_lambda_concurrent_code_updates");
    await recording.expect("create-function-response", lambda.call("CreateFunction", plain("fn")));
    await lambda.service.idle();
    lambda.engine.hold();
    const update = (archive: Buffer) =>
      lambda.call("UpdateFunctionCode", { FunctionName: "fn", ZipFile: archive });
    await update(OTHER_ARCHIVE);
    await recording.expect("update-during-in-progress-update-exc", update(ARCHIVE));
    lambda.engine.release();
    await lambda.service.idle();
  });

  test.each([
    ["partial_config0", { LogFormat: "JSON" }],
    ["partial_config1", { LogFormat: "JSON", ApplicationLogLevel: "DEBUG" }],
    ["partial_config3", { LogGroup: "cool_lambda" }],
  ] as const)("logging %s", async (name, LoggingConfig) => {
    const scenario = `test_function_partial_advanced_logging_configuration_update[${name}]`;
    const recording = new Recording("functions", scenario);
    const input = newFunction("fn", {
      Handler: "handler.handler",
      MemorySize: 256,
      Timeout: 5,
      Environment: { Variables: {} },
      Role: ROLE,
    });
    await recording.expect("create_response", lambda.call("CreateFunction", input));
    await lambda.service.idle();
    const FunctionName = "fn";
    await recording.expect("get_function_response", lambda.call("GetFunction", { FunctionName }));
    await recording.expect("function_config", lambda.call("GetFunctionConfiguration", { FunctionName }));
    await recording.expect(
      "updated_config",
      lambda.call("UpdateFunctionConfiguration", { FunctionName, LoggingConfig }),
    );
    await lambda.service.idle();
    await recording.expect("received_config", lambda.call("GetFunctionConfiguration", { FunctionName }));
  });
});
