import {
  CreateBucketCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { run, works } from "../support/tools.ts";

let platform: TestPlatform;
let s3: S3Client;

async function start(flags: readonly string[] = []): Promise<void> {
  platform = await startPlatform(flags);
  s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
}

async function stop(): Promise<void> {
  s3.destroy();
  expect(await platform.stop()).toBe(0);
}

const everybody = (Bucket: string, Action: string | string[], more: object = {}) => ({
  Bucket,
  Policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: "*",
      Action,
      Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
      ...more,
    },
  }),
});

/** A bucket with the object `k`, open to what its policy opens. */
async function bucket(Bucket: string, Action: string | string[], more: object = {}): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "k", Body: "content" }));
  await block(Bucket, { BlockPublicPolicy: false, RestrictPublicBuckets: false });
  await s3.send(new PutBucketPolicyCommand(everybody(Bucket, Action, more)));
}

const block = (Bucket: string, PublicAccessBlockConfiguration: object) =>
  s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function visit(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${platform.url}/${path}`, init);
  return { status: response.status, body: await response.text() };
}

const DENIED = {
  status: 403,
  body: expect.stringContaining("<Code>AccessDenied</Code><Message>Access Denied</Message>"),
};

describe("requests to S3 without a signature", () => {
  beforeAll(() => start());
  afterAll(stop);

  it("may read where the bucket's policy lets everybody, and nothing else", async () => {
    await bucket("readable", "s3:GetObject");
    expect(await visit("readable/k")).toEqual({ status: 200, body: "content" });
    expect((await visit("readable/k", { method: "HEAD" })).status).toBe(200);
    expect(await visit("readable")).toEqual(DENIED);
    // Whether there is such an object is for those to know who may list.
    expect(await visit("readable/none")).toEqual(DENIED);
    expect(await visit("readable/new", { method: "PUT", body: "x" })).toEqual(DENIED);
    expect(await visit("readable/k", { method: "DELETE" })).toEqual(DENIED);
    expect(await visit("readable?policy")).toEqual({
      status: 403,
      body: expect.stringContaining("Anonymous users cannot invoke this API. Please authenticate."),
    });
    expect(await visit("missing-bucket/k")).toEqual({
      status: 404,
      body: expect.stringContaining("<Code>NoSuchBucket</Code>"),
    });
  });

  it("are denied where no policy speaks of everybody", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "closed" }));
    await s3.send(new PutObjectCommand({ Bucket: "closed", Key: "k", Body: "content" }));
    expect(await visit("closed/k")).toEqual(DENIED);
    expect(await visit("closed?list-type=2")).toEqual(DENIED);
  });

  it("may list, write and delete where they are let", async () => {
    await bucket("open", ["s3:ListBucket", "s3:PutObject", "s3:DeleteObject", "s3:GetObject"]);
    expect((await visit("open/written", { method: "PUT", body: "by nobody" })).status).toBe(200);
    expect(await visit("open/written")).toEqual({ status: 200, body: "by nobody" });
    expect((await visit("open?list-type=2")).body).toContain("<Key>written</Key>");
    expect((await visit("open/written", { method: "DELETE" })).status).toBe(204);
    expect((await visit("open/written")).status).toBe(404);
  });

  it("are decided by conditions, and by what is denied", async () => {
    await bucket("conditional", "s3:GetObject", { Condition: { Bool: { "aws:SecureTransport": "true" } } });
    expect(await visit("conditional/k")).toEqual(DENIED);
    await s3.send(
      new PutBucketPolicyCommand(
        everybody("conditional", "s3:GetObject", {
          Condition: { IpAddress: { "aws:SourceIp": "127.0.0.0/8" } },
        }),
      ),
    );
    expect((await visit("conditional/k")).status).toBe(200);
  });

  it("that claim to be signed, and are not, are no anonymous ones", async () => {
    for (const query of ["X-Amz-Signature=x", "AWSAccessKeyId=AKIA&Signature=x&Expires=1"])
      expect((await visit(`readable/k?${query}`)).status).not.toBe(200);
    const headers = { authorization: "AWS AKIA:signature" };
    expect((await visit("readable/k", { headers })).status).not.toBe(200);
  });

  it("reach no bucket that blocks public policies, as new ones do", async () => {
    await s3.send(new CreateBucketCommand({ Bucket: "blocked" }));
    await s3.send(new PutObjectCommand({ Bucket: "blocked", Key: "k", Body: "content" }));
    const put = (more: object = {}) =>
      s3.send(new PutBucketPolicyCommand(everybody("blocked", "s3:GetObject", more)));
    await expect(put()).rejects.toMatchObject({
      name: "AccessDenied",
      message: expect.stringMatching(
        /public policies are (?:prevented|blocked) by the BlockPublicPolicy setting/,
      ),
    });
    // A condition that anybody can meet makes it no less public.
    await expect(put({ Condition: { Bool: { "aws:SecureTransport": "false" } } })).rejects.toMatchObject({
      name: "AccessDenied",
    });
    await block("blocked", { BlockPublicPolicy: false, RestrictPublicBuckets: false });
    await put();
    expect((await visit("blocked/k")).status).toBe(200);
    await block("blocked", { BlockPublicPolicy: false, RestrictPublicBuckets: true });
    expect(await visit("blocked/k")).toEqual(DENIED);
    // Accounts other than the bucket's are kept out, too; its own are not.
    const credentials = { accessKeyId: "222222222222", secretAccessKey: "test" };
    const other = new S3Client({ ...clientFor(platform.url), credentials, forcePathStyle: true });
    const get = new GetObjectCommand({ Bucket: "blocked", Key: "k" });
    await expect(other.send(get)).rejects.toMatchObject({ name: "AccessDenied" });
    other.destroy();
    expect((await s3.send(get)).ContentLength).toBe(7);
  });

  it("come from AWS's clients, too, checksums in trailers included", async () => {
    await bucket("clients", ["s3:PutObject", "s3:GetObject"]);
    const anonymous = new S3Client({
      ...clientFor(platform.url),
      forcePathStyle: true,
      signer: { sign: (request) => Promise.resolve(request) },
    });
    await anonymous.send(new PutObjectCommand({ Bucket: "clients", Key: "js", Body: "from JavaScript" }));
    const { Body } = await anonymous.send(new GetObjectCommand({ Bucket: "clients", Key: "js" }));
    expect(await Body?.transformToString()).toBe("from JavaScript");
    anonymous.destroy();
  });

  it.skipIf(!works("python3", "-c", "import boto3"))("come from boto3, too", async () => {
    await bucket("boto", ["s3:PutObject", "s3:GetObject", "s3:ListBucket"]);
    const env = {
      AWS_ENDPOINT_URL: platform.url,
      AWS_REGION: "us-east-1",
      AWS_EC2_METADATA_DISABLED: "true",
    };
    expect(await run("python3", ["-c", BOTO3], { env })).toEqual({
      code: 0,
      stdout: "b'from boto3' 2\n",
      stderr: "",
    });
  });
});

const BOTO3 = `
import boto3
from botocore import UNSIGNED
from botocore.config import Config
s3 = boto3.client("s3", region_name="us-east-1", config=Config(signature_version=UNSIGNED))
s3.put_object(Bucket="boto", Key="b", Body=b"from boto3")
print(s3.get_object(Bucket="boto", Key="b")["Body"].read(), s3.list_objects_v2(Bucket="boto")["KeyCount"])
`;

it.each(["audit", "off"])("S3 asks who does not sign under --iam %s all the same", async (mode) => {
  await start(["--iam", mode]);
  await s3.send(new CreateBucketCommand({ Bucket: "closed" }));
  await s3.send(new PutObjectCommand({ Bucket: "closed", Key: "k", Body: "content" }));
  expect(await visit("closed/k")).toEqual(DENIED);
  expect(await visit("closed/k", { method: "DELETE" })).toEqual(DENIED);
  await stop();
});
