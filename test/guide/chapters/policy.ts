import { beforeAll, describe, expect, it } from "vitest";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { CreateFunctionCommand, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipOf } from "../../support/zip.ts";
import {
  ACCOUNT,
  NODE_RUNTIME,
  noCli,
  PYTHON_RUNTIME,
  readSettings,
  type Reader,
  settingsFile,
} from "../support.ts";

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: {
    Effect: "Allow",
    Principal: { Service: "lambda.amazonaws.com" },
    Action: "sts:AssumeRole",
  },
});

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

const RUNTIMES = [
  { what: "the JavaScript SDK", runtime: NODE_RUNTIME, file: "index.js", source: JAVASCRIPT },
  ...(PYTHON_RUNTIME === undefined
    ? []
    : [{ what: "boto3", runtime: PYTHON_RUNTIME, file: "index.py", source: PYTHON }]),
];

export function policy(reader: () => Reader): void {
  beforeAll(async () => {
    const { settings } = reader();
    const iam = new IAMClient(settings);
    await iam.send(new CreateRoleCommand({ RoleName: "reader", AssumeRolePolicyDocument: TRUST }));
    const PolicyDocument = JSON.stringify(await readSettings("4.1-policy"));
    await iam.send(new PutRolePolicyCommand({ RoleName: "reader", PolicyName: "guide", PolicyDocument }));
    // The guide's statement is of the bucket alone; its functions' logs need their own.
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await iam.send(new AttachRolePolicyCommand({ RoleName: "reader", PolicyArn }));
    const s3 = new S3Client({ ...settings, forcePathStyle: true });
    for (const Bucket of ["my-bucket", "other-bucket"]) {
      await s3.send(new CreateBucketCommand({ Bucket }));
      await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "content" }));
    }
  });

  describe.each(RUNTIMES)("by $what", ({ runtime, file, source }) => {
    const FunctionName = file.replace(".", "-");
    const ask = async (operation: "get" | "put", bucket: string): Promise<unknown> =>
      (await reader().invoke(FunctionName, { operation, bucket })).body;
    const denied = (action: string, bucket: string) => ({
      code: "AccessDenied",
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/reader/${FunctionName} is not authorized to perform: s3:${action} on resource: "arn:aws:s3:::${bucket}/k" because no identity-based policy allows the s3:${action} action`,
    });

    it("reads the bucket's objects, none of another, and writes none", async () => {
      await reader().lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Runtime: runtime as "nodejs22.x",
          Handler: "index.handler",
          Role: `arn:aws:iam::${ACCOUNT}:role/reader`,
          Timeout: 60,
          MemorySize: 512,
          Code: { ZipFile: await zipOf({ [file]: source }) },
        }),
      );
      const waiter = { client: reader().lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 };
      await waitUntilFunctionActiveV2(waiter, { FunctionName });
      expect(await ask("get", "my-bucket")).toBe("content");
      expect(await ask("get", "other-bucket")).toEqual(denied("GetObject", "other-bucket"));
      expect(await ask("put", "my-bucket")).toEqual(denied("PutObject", "my-bucket"));
    });
  });

  it.skipIf(noCli)("is attached as it stands by the AWS CLI (needs `aws` on PATH)", async () => {
    const role = ["--role-name", "by-cli", "--policy-name", "guide"];
    const iam = new IAMClient(reader().settings);
    await iam.send(new CreateRoleCommand({ RoleName: "by-cli", AssumeRolePolicyDocument: TRUST }));
    const document = `file://${settingsFile("4.1-policy")}`;
    const put = await reader().aws("iam", "put-role-policy", ...role, "--policy-document", document);
    expect(put).toEqual({ code: 0, stdout: "", stderr: "" });
    const { stdout } = await reader().aws("iam", "get-role-policy", ...role);
    const { PolicyDocument } = JSON.parse(stdout) as { PolicyDocument: unknown };
    expect(PolicyDocument).toEqual(await readSettings("4.1-policy"));
  });
}
