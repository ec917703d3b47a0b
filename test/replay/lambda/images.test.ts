import { beforeEach, describe, expect, test } from "vitest";
import {
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;

const FIRST = "111111111111.dkr.ecr.us-east-1.amazonaws.com/first:latest";
const SECOND = "111111111111.dkr.ecr.us-east-1.amazonaws.com/second:latest";
const FunctionName = "fn";

beforeEach(() => {
  lambda = createLambdaFixture(storage());
  lambda.engine.images.set(FIRST, "a".repeat(64)).set(SECOND, "b".repeat(64));
});

const image = {
  PackageType: "Image",
  Code: { ImageUri: FIRST },
  Runtime: undefined,
  Handler: undefined,
} as const;

const get = () => lambda.call("GetFunction", { FunctionName });
const configuration = () => lambda.call("GetFunctionConfiguration", { FunctionName });
const create = (input: object = {}) =>
  lambda.call("CreateFunction", newFunction(FunctionName, { ...image, ...input }));

describe("functions of container images", () => {
  test("TestLambdaImages::test_lambda_image_crud", async () => {
    const recording = new Recording("images", "TestLambdaImages::test_lambda_image_crud");
    const Environment = { Variables: { CUSTOM_ENV: "test" } };
    await recording.expect("create-image-response", create({ Environment }));
    await lambda.service.idle();
    await recording.expect("get-function-code-response", get());
    await recording.expect("get-function-config-response", configuration());
    await recording.expect(
      "image-to-zipfile-error",
      lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE }),
    );
    await recording.expect(
      "update-function-code-response",
      lambda.call("UpdateFunctionCode", { FunctionName, ImageUri: SECOND }),
    );
    await lambda.service.idle();
    await recording.expect("get-function-code-response-after-update", get());
    await recording.expect("get-function-config-response-after-update", configuration());
  });

  test("TestLambdaImages::test_lambda_zip_file_to_image", async () => {
    const recording = new Recording("images", "TestLambdaImages::test_lambda_zip_file_to_image");
    const created = lambda.call(
      "CreateFunction",
      newFunction(FunctionName, { Handler: "handler.handler", PackageType: "Zip" }),
    );
    await recording.expect("create-image-response", created);
    await lambda.service.idle();
    await recording.expect("get-function-code-response", get());
    await recording.expect("get-function-config-response", configuration());
    await recording.expect(
      "zipfile-to-image-error",
      lambda.call("UpdateFunctionCode", { FunctionName, ImageUri: FIRST }),
    );
    await recording.expect("get-function-code-response-after-update", get());
    await recording.expect("get-function-config-response-after-update", configuration());
  });

  test("show and obey ImageConfig, until it is emptied", async () => {
    const ImageConfig = { EntryPoint: ["/a"], Command: ["b", "c"], WorkingDirectory: "/d" };
    expect(await create({ ImageConfig })).toMatchObject({ ImageConfigResponse: { ImageConfig } });
    await lambda.service.idle();
    await lambda.call("Invoke", { FunctionName });
    expect(lambda.engine.invocations[0]?.spec).toMatchObject({
      imageConfig: { entryPoint: ["/a"], command: ["b", "c"], workingDirectory: "/d" },
      code: { image: { uri: FIRST } },
    });
    const kept = await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    expect(kept.ImageConfigResponse).toEqual({ ImageConfig });
    await lambda.service.idle();
    const emptied = await lambda.call("UpdateFunctionConfiguration", { FunctionName, ImageConfig: {} });
    expect(emptied).not.toHaveProperty("ImageConfigResponse");
    await lambda.service.idle();
  });

  test.each([
    [
      { Runtime: "python3.12" },
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE.",
    ],
    [
      { Handler: "a.b" },
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE.",
    ],
    [
      { Layers: ["arn:aws:lambda:us-east-1:111111111111:layer:l:1"] },
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE.",
    ],
    [
      { Code: { ZipFile: OTHER_ARCHIVE } },
      "Please provide ImageUri when creating a function with packageType Image.",
    ],
    [
      { Code: { ImageUri: "none.example/none:1" } },
      "Source image none.example/none:1 does not exist. Provide a valid source image.",
    ],
  ])("refuse %j", async (input, message) => {
    expect(await errorOf(create(input))).toEqual({
      code: "InvalidParameterValueException",
      message,
      status: 400,
      type: "User",
    });
    expect(await errorOf(get())).toMatchObject({ status: 404 });
  });

  test("refuse runtime and handler later, too, and archives refuse ImageConfig", async () => {
    await create();
    await lambda.service.idle();
    const changed = lambda.call("UpdateFunctionConfiguration", { FunctionName, Handler: "a.b" });
    expect((await errorOf(changed)).message).toContain("PackageType is IMAGE");
    const zip = lambda.call("CreateFunction", newFunction("zip", { ImageConfig: { Command: ["a"] } }));
    expect((await errorOf(zip)).message).toContain("packageType Zip");
  });
});
