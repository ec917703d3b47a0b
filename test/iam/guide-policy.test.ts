import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

/** The policy of the guide's fourth chapter, letter by letter but for its bucket's account. */
const POLICY = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: "arn:aws:s3:::my-bucket/*" }],
};

const JAVASCRIPT = `const { S3Client, GetObjectCommand, PutObjectCommand } = require("@aws-sdk/client-s3");
const s3 = new S3Client({ forcePathStyle: true, maxAttempts: 1 });
exports.handler = async ({ operation, bucket }) => {
  try {
    if (operation === "put") return await s3.send(new PutObjectCommand({ Bucket: bucket, Key: "k", Body: "x" })), "put";
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: "k" }));
    return await Body.transformToString();
  } catch (error) {
    return { code: error.name, message: error.message };
  }
};`;

const PYTHON = `import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))

def handler(event, context):
    try:
        if event["operation"] == "put":
            s3.put_object(Bucket=event["bucket"], Key="k", Body=b"x")
            return "put"
        return s3.get_object(Bucket=event["bucket"], Key="k")["Body"].read().decode()
    except ClientError as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"]}
`;

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
  const iam = new IAMClient(clientFor(platform.url));
  const Statement = {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  };
  const AssumeRolePolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new CreateRoleCommand({ RoleName: "reader", AssumeRolePolicyDocument }));
  const PolicyDocument = JSON.stringify(POLICY);
  await iam.send(new PutRolePolicyCommand({ RoleName: "reader", PolicyName: "guide", PolicyDocument }));
  const s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
  for (const Bucket of ["my-bucket", "other-bucket"]) {
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "content" }));
  }
});
afterAll(() => platform.stop());

/** The runtime of the host's own Python, where that has a boto3 for functions to find. */
function pythonRuntime(): string | undefined {
  if (!works("python3", "-c", "import boto3")) return undefined;
  const print = "import sys; print(f'python3.{sys.version_info.minor}', end='')";
  return execFileSync("python3", ["-c", print]).toString();
}

const python = pythonRuntime();
const RUNTIMES = [
  {
    what: "the JavaScript SDK",
    runtime: `nodejs${process.versions.node.split(".")[0] ?? ""}.x`,
    file: "index.js",
    source: JAVASCRIPT,
  },
  ...(python === undefined ? [] : [{ what: "boto3", runtime: python, file: "index.py", source: PYTHON }]),
];

describe.each(RUNTIMES)("the guide's policy, by $what", ({ runtime, file, source }) => {
  const FunctionName = file.replace(".", "-");
  const ask = async (operation: "get" | "put", bucket: string): Promise<unknown> => {
    const Payload = JSON.stringify({ operation, bucket });
    const { Payload: answer } = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
    return JSON.parse(answer?.transformToString() ?? "") as unknown;
  };
  const denied = (action: string, bucket: string) => ({
    code: "AccessDenied",
    message: `User: arn:aws:sts::000000000000:assumed-role/reader/${FunctionName} is not authorized to perform: s3:${action} on resource: "arn:aws:s3:::${bucket}/k" because no identity-based policy allows the s3:${action} action`,
  });

  it("reads the bucket's objects, none of another, and writes none", async () => {
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName,
        Runtime: runtime as "nodejs22.x",
        Handler: "index.handler",
        Role: "arn:aws:iam::000000000000:role/reader",
        Timeout: 60,
        MemorySize: 512,
        Code: { ZipFile: await zipOf({ [file]: source }) },
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 },
      { FunctionName },
    );
    expect(await ask("get", "my-bucket")).toBe("content");
    expect(await ask("get", "other-bucket")).toEqual(denied("GetObject", "other-bucket"));
    expect(await ask("put", "my-bucket")).toEqual(denied("PutObject", "my-bucket"));
  });
});
