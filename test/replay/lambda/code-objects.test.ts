import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../src/core/errors.ts";
import {
  ARCHIVE,
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  sha256,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";
const object = { S3Bucket: "bucket", S3Key: "key.zip" };

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

const holds = (bytes: Buffer) =>
  lambda.answers.set("s3.GetObject", { Body: Readable.from([bytes]), ContentLength: bytes.length });
const fails = (code: string, message: string) =>
  lambda.answers.set("s3.GetObject", new AwsError(code, message, { status: 404 }));
const settings = { Handler: "index.handler", Timeout: 3 };

describe("code in S3", () => {
  test("test_lambda_code_location_s3", async () => {
    const recording = new Recording("code-objects", "test_lambda_code_location_s3");
    holds(ARCHIVE);
    const input = newFunction(FunctionName, { ...settings, Code: { ...object, S3ObjectVersion: "v1" } });
    await recording.expect("create_response_s3", lambda.call("CreateFunction", input));
    expect(lambda.outgoing.at(-1)).toMatchObject({
      service: "s3",
      operation: "GetObject",
      input: { Bucket: "bucket", Key: "key.zip", VersionId: "v1" },
      by: { principal: { kind: "root" } },
    });
    await lambda.service.idle();
    await recording.expect("get-function-response", lambda.call("GetFunction", { FunctionName }));
    holds(OTHER_ARCHIVE);
    lambda.engine.hold();
    const updated = lambda.call("UpdateFunctionCode", { FunctionName, ...object });
    await recording.expect("update-function-response", updated);
    await recording.expect("get-function-response-updated", lambda.call("GetFunction", { FunctionName }));
    lambda.engine.release();
    await lambda.service.idle();
  });

  test("test_lambda_code_location_s3_errors", async () => {
    const recording = new Recording("code-objects", "test_lambda_code_location_s3_errors");
    await lambda.create("other");
    const create = () => lambda.call("CreateFunction", newFunction(FunctionName, { Code: object }));
    const update = () => lambda.call("UpdateFunctionCode", { FunctionName: "other", ...object });
    fails("NoSuchBucket", "The specified bucket does not exist");
    await recording.expect("create-error-wrong-bucket", create());
    await recording.expect("update-error-wrong-bucket", update());
    fails("NoSuchKey", "The specified key does not exist.");
    await recording.expect("create-error-wrong-key", create());
    await recording.expect("update-error-wrong-key", update());
  });

  test("test_layer_s3_content", async () => {
    const recording = new Recording("code-objects", "test_layer_s3_content");
    holds(ARCHIVE);
    const published = lambda.call("PublishLayerVersion", { LayerName: "layer", Content: object });
    await recording.expect("publish_layer_result", published);
  });

  test("a dry run tells of the object and keeps nothing", async () => {
    await lambda.create(FunctionName);
    holds(OTHER_ARCHIVE);
    const { CodeSha256 } = await lambda.call("UpdateFunctionCode", { FunctionName, ...object, DryRun: true });
    expect(CodeSha256).toBe(sha256(OTHER_ARCHIVE));
    const { Configuration } = await lambda.call("GetFunction", { FunctionName });
    expect(Configuration?.CodeSha256).toBe(sha256(ARCHIVE));
  });

  test.each([
    ["two sources", { ...object, ZipFile: ARCHIVE }],
    ["a bucket without a key", { S3Bucket: "bucket" }],
  ])("refuses %s", async (_, Code) => {
    const create = lambda.call("CreateFunction", newFunction(FunctionName, { Code }));
    expect(await errorOf(create)).toMatchObject({ code: "InvalidParameterValueException" });
  });

  test("refuses an object that is larger than what may be unpacked, whatever length it claims", async () => {
    const chunk = Buffer.alloc(1_048_576);
    const Body = Readable.from(Array.from({ length: 251 }, () => chunk));
    lambda.answers.set("s3.GetObject", { Body });
    const create = lambda.call("CreateFunction", newFunction(FunctionName, { Code: object }));
    expect(await errorOf(create)).toMatchObject({
      message: "Unzipped size must be smaller than 262144000 bytes",
    });
  });
});
