// Powertools' idempotency, as its package is, over Thaw's S3: examples/idempotency, whose conditional writes decide.
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateFunctionCommand, type LambdaClient, waitUntilFunctionActiveV2 } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { definition, invoke, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { packages } from "../support/packages.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const FOLDER = join(import.meta.dirname, "../../examples/idempotency");
const Bucket = "idempotency";
const trust = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
};
const permissions = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
      Resource: `arn:aws:s3:::${Bucket}/*`,
    },
    { Effect: "Allow", Action: "s3:ListBucket", Resource: `arn:aws:s3:::${Bucket}` },
    {
      Effect: "Allow",
      Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: "*",
    },
  ],
};

/** Takes as long as there is no object of the order's name. */
const GATED = `import { GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { S3PersistenceLayer } from "./s3-persistence.mjs";
const s3 = new S3Client({ forcePathStyle: true });
const persistenceStore = new S3PersistenceLayer({ bucket: "${Bucket}", client: s3 });
const config = new IdempotencyConfig({ eventKeyJmesPath: "orderId" });
export const handler = makeIdempotent(async ({ orderId }) => {
  console.log("working on", orderId);
  for (;;) {
    const open = s3.send(new GetObjectCommand({ Bucket: "${Bucket}", Key: "gates/" + orderId }));
    if (await open.then(() => true, () => false)) return "done";
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}, { persistenceStore, config });`;

let platform: TestPlatform;
let lambda: LambdaClient;
let s3: S3Client;
beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  s3 = new S3Client({ ...clientFor(platform.url), forcePathStyle: true });
  const iam = new IAMClient(clientFor(platform.url));
  const RoleName = "payments";
  const { Role } = await iam.send(
    new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }),
  );
  const PolicyDocument = JSON.stringify(permissions);
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "records", PolicyDocument }));
  iam.destroy();
  await s3.send(new CreateBucketCommand({ Bucket }));

  const files = {
    "s3-persistence.mjs": readFileSync(join(FOLDER, "s3-persistence.mjs"), "utf8"),
    ...packages(
      "@aws-lambda-powertools/idempotency",
      "@aws-lambda-powertools/commons",
      "@aws/lambda-invoke-store",
    ),
  };
  const handlers = { payments: readFileSync(join(FOLDER, "index.mjs"), "utf8"), gated: GATED };
  for (const [name, source] of Object.entries(handlers)) {
    // oxlint-disable-next-line no-await-in-loop
    const ZipFile = await zipOf({ ...files, "index.mjs": source });
    // oxlint-disable-next-line no-await-in-loop
    const plain = await definition(name, "", {
      Code: { ZipFile },
      MemorySize: 512,
      Role: Role?.Arn,
      Environment: { Variables: { IDEMPOTENCY_BUCKET: Bucket } },
    });
    // oxlint-disable-next-line no-await-in-loop
    await lambda.send(new CreateFunctionCommand(plain));
    // oxlint-disable-next-line no-await-in-loop
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.02 },
      { FunctionName: name },
    );
  }
});
afterAll(async () => {
  lambda.destroy();
  s3.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

const worked = async (name: string, text: string): Promise<number> =>
  (await logged(platform.url, name)).filter((line) => line.includes(text)).length;

async function record(name: string): Promise<{ Key: string; content: Record<string, unknown> }> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: `${name}#` }));
  const [{ Key = "" } = {}, ...others] = Contents;
  expect(others).toEqual([]);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return { Key, content: JSON.parse((await Body?.transformToString()) ?? "") as Record<string, unknown> };
}

it("gives the second event of an order the first one's response, until the record expires", async () => {
  const order = { orderId: "7", amount: 12 };
  const first = await invoke(lambda, "payments", order);
  expect(first).toEqual({
    error: undefined,
    payload: { paymentId: expect.stringMatching(/^[\da-f-]{36}$/) as string, amount: 12 },
  });
  expect(await invoke(lambda, "payments", order)).toEqual(first);
  await until(async () => expect(await worked("payments", "paying for 7")).toBe(1));

  expect(await invoke(lambda, "payments", { ...order, amount: 13 })).toMatchObject({
    error: "Unhandled",
    payload: { errorType: "IdempotencyValidationError" },
  });
  expect(await invoke(lambda, "payments", { amount: 12 })).toMatchObject({
    error: "Unhandled",
    payload: { errorType: "IdempotencyPersistenceLayerError" },
  });

  const { Key, content } = await record("payments");
  expect(content).toMatchObject({ status: "COMPLETED", responseData: first.payload });
  const expired = { ...content, expiryTimestamp: Math.floor(Date.now() / 1000) - 10 };
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(expired) }));
  const third = await invoke(lambda, "payments", order);
  expect(third).toMatchObject({ error: undefined, payload: { amount: 12 } });
  expect(third).not.toEqual(first);
});

it("forgets an order that failed, so that the next try works on it", async () => {
  const failed = await invoke(lambda, "payments", { orderId: "8", amount: 0 });
  expect(failed).toMatchObject({ error: "Unhandled", payload: { errorType: "RangeError" } });
  expect(await invoke(lambda, "payments", { orderId: "8", amount: 5 })).toMatchObject({
    error: undefined,
    payload: { amount: 5 },
  });
});

it("lets one of many at once work, and takes over from one that ended without a word", async () => {
  const events = Array.from({ length: 4 }, () => invoke(lambda, "gated", { orderId: "9" }));
  const outcomes = Promise.all(events);
  await until(async () => expect(await worked("gated", "working on 9")).toBe(1));
  // All but the one that works are refused at once; then it may end.
  await Promise.any(events.map((event) => event.then(({ error }) => expect(error).toBe("Unhandled"))));
  await s3.send(new PutObjectCommand({ Bucket, Key: "gates/9", Body: "open" }));
  const answers = await outcomes;
  expect(answers.filter(({ payload }) => payload === "done").length).toBeGreaterThan(0);
  for (const { payload } of answers.filter(({ error }) => error !== undefined))
    expect(payload).toMatchObject({ errorType: "IdempotencyAlreadyInProgressError" });
  await until(async () => expect(await worked("gated", "working on 9")).toBe(1));

  const { Key, content } = await record("gated");
  const abandoned = { ...content, status: "INPROGRESS", inProgressExpiryTimestamp: Date.now() - 1000 };
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(abandoned) }));
  expect(await invoke(lambda, "gated", { orderId: "9" })).toEqual({ error: undefined, payload: "done" });
  await until(async () => expect(await worked("gated", "working on 9")).toBe(2));
});
