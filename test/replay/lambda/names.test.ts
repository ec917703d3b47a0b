import { beforeEach, describe, test } from "vitest";
import { ACCOUNT, createLambdaFixture, REGION, type LambdaFixture } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

const OPERATIONS = {
  delete_function: "DeleteFunction",
  get_function: "GetFunction",
  get_function_code_signing_config: "GetFunctionCodeSigningConfig",
  get_function_concurrency: "GetFunctionConcurrency",
  get_function_configuration: "GetFunctionConfiguration",
  get_function_event_invoke_config: "GetFunctionEventInvokeConfig",
  invoke: "Invoke",
} as const;
type Method = keyof typeof OPERATIONS;

function run(method: Method, FunctionName: string, Qualifier?: string): Promise<unknown> {
  const input = { FunctionName, ...(Qualifier === undefined ? {} : { Qualifier }) };
  return lambda.call<string>(OPERATIONS[method], input);
}

describe("how functions are named", () => {
  test.each([
    "delete_function",
    "get_function_code_signing_config",
    "get_function_concurrency",
    "get_function_configuration",
    "get_function_event_invoke_config",
    "invoke",
  ] as const)("test_get_function_wrong_region[%s]", async (method) => {
    const recording = new Recording("names", `test_get_function_wrong_region[${method}]`);
    const arn = `arn:aws:lambda:eu-west-1:${ACCOUNT}:function:fn`;
    await recording.expect("wrong_region_exception", run(method, arn));
  });

  test.each([
    "delete_function",
    "get_function",
    "get_function_code_signing_config",
    "get_function_concurrency",
    "get_function_configuration",
  ] as const)("test_ops_on_nonexisting_fn[%s]", async (method) => {
    const recording = new Recording("names", `test_ops_on_nonexisting_fn[${method}]`);
    await recording.expect("not_found_exception", run(method, "i-do-not-exist"));
  });

  test.each(["get_function", "get_function_configuration"] as const)(
    "test_ops_with_arn_qualifier_mismatch[%s]",
    async (method) => {
      const recording = new Recording("names", `test_ops_with_arn_qualifier_mismatch[${method}]`);
      const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:some-function:$LATEST`;
      await recording.expect("match_exception", run(method, arn, "$LATEST"));
      await recording.expect("not_match_exception", run(method, arn, "1"));
    },
  );

  const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:my-function`;
  const long = "a".repeat(65);
  test.each([
    ["function_name_and_qualifier_too_long", "delete_function", "my-function", long],
    ["function_name_and_qualifier_too_long", "invoke", "my-function", long],
    ["function_name_too_long", "delete_function", long, undefined],
    ["function_name_too_long", "get_function", long, undefined],
    ["function_name_too_long", "invoke", long, undefined],
    ["incomplete_arn", "delete_function", `arn:aws:lambda:${REGION}:${ACCOUNT}:function`, undefined],
    ["incomplete_arn", "get_function", `arn:aws:lambda:${REGION}:${ACCOUNT}:function`, undefined],
    ["incomplete_arn", "invoke", `arn:aws:lambda:${REGION}:${ACCOUNT}:function`, undefined],
    ["latest_version_with_additional_qualifier", "delete_function", `${arn}:$LATEST`, "1"],
    ["lowercase_latest_qualifier", "delete_function", arn, "$latest"],
    ["lowercase_latest_qualifier", "get_function", arn, "$latest"],
    ["lowercase_latest_qualifier", "invoke", arn, "$latest"],
    ["qualifier_too_long1", "get_function", "my-function", long],
    ["qualifier_too_long1", "invoke", `my-function:${long}`, undefined],
  ] as const)("%s, %s", async (scenario, method, name, qualifier) => {
    const recording = new Recording(
      "names",
      `test_function_name_and_qualifier_validation[${scenario}-${method}]`,
    );
    await recording.expect(`${method}_exception`, run(method, name, qualifier));
  });
});
