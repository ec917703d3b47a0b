import { beforeEach, describe, test } from "vitest";
import { createLambdaFixture, newFunction, type LambdaFixture } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

describe("SnapStart", () => {
  test.each([
    ["java17", "echo.Handler"],
    ["python3.12", "handler.handler"],
  ] as const)("test_snapstart_update_function_configuration[%s]", async (Runtime, Handler) => {
    const scenario = `test_snapstart_update_function_configuration[${Runtime}]`;
    const recording = new Recording("snap-start", scenario);
    const input = newFunction("fn", { Runtime, Handler, MemorySize: 1024, Timeout: 5 });
    await recording.expect("create_function_response", lambda.call("CreateFunction", input));
    await lambda.service.idle();
    await recording.expect(
      "update_function_response",
      lambda.call("UpdateFunctionConfiguration", {
        FunctionName,
        SnapStart: { ApplyOn: "PublishedVersions" },
      }),
    );
    await lambda.service.idle();
  });
});
