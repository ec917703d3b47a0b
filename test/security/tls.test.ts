import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { request } from "node:https";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { connect } from "node:tls";
import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionCommand,
  LambdaClient,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock as clock } from "../../src/core/clock.ts";
import { systemIds as ids } from "../../src/core/ids.ts";
import { authorityFile, ownIdentity } from "../../src/server/tls/own-identity.ts";
import { thaw } from "../cli/support.ts";
import { create, invoke, temporaryFolder, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";
import { run, works } from "../support/tools.ts";

const folder = temporaryFolder();
const data = join(folder, "data");
const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "a-secret-of-ones-own" };
const THAW_ROOT_KEY = `${credentials.accessKeyId}:${credentials.secretAccessKey}`;

/** Calls the platform from within, and tells what the connection was. */
const CALLS_BACK = `exports.handler = async () => {
  const { GetCallerIdentityCommand, STSClient } = require("@aws-sdk/client-sts");
  const { Arn } = await new STSClient().send(new GetCallerIdentityCommand());
  return { endpoint: process.env.AWS_ENDPOINT_URL, queue: process.env.QUEUE, Arn };
};`;

const ECHO = `exports.handler = async ({ headers }) => headers["x-forwarded-proto"];`;

const UPLOADS = `
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
const s3 = new S3Client({ forcePathStyle: true });
const object = { Bucket: "uploads", Key: "k" };
await s3.send(new CreateBucketCommand({ Bucket: object.Bucket }));
await s3.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(5 << 20) }));
console.log((await s3.send(new HeadObjectCommand(object))).ContentLength);`;

/** Asks over TLS, trusting the given authority alone. */
async function get(url: string, ca: string): Promise<string> {
  const outgoing = request(url, { ca, agent: false }).end();
  const [response] = (await once(outgoing, "response")) as [Readable];
  return (await buffer(response)).toString();
}

describe("a platform beyond loopback, with its own certificate", () => {
  let platform: TestPlatform;
  let lambda: LambdaClient;
  let ca: string;
  const settings = () => ({
    endpoint: platform.url,
    region: "us-east-1",
    credentials,
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca } },
  });
  const variables = () => ({
    AWS_ENDPOINT_URL: platform.url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_MAX_ATTEMPTS: "1",
  });

  beforeAll(async () => {
    platform = await startPlatform(["--host", "0.0.0.0", "--data", data], { THAW_ROOT_KEY });
    ca = readFileSync(authorityFile(join(data, "tls")), "utf8");
    lambda = new LambdaClient(settings());
  });
  afterAll(async () => {
    lambda.destroy();
    expect(await platform.stop()).toBe(0);
    expect(platform.errors()).toBe("");
  });

  it("speaks TLS alone, with keys that nobody else may read", async () => {
    expect(platform.url).toMatch(/^https:/);
    await until(() =>
      expect(platform.output()).toContain(`AWS_CA_BUNDLE=${data}/tls/ca.pem NODE_EXTRA_CA_CERTS=`),
    );
    expect(statSync(join(data, "tls", "ca-key.pem")).mode & 0o777).toBe(0o600);
    const plain = await fetch(`${platform.url.replace("https:", "http:")}/_thaw/health`);
    expect([plain.status, await plain.json()]).toEqual([
      400,
      { message: "This port speaks TLS: use https:// in place of http://" },
    ]);
    const { port } = new URL(platform.url);
    for (const host of [new URL(platform.url).hostname, "127.0.0.1", "localhost"])
      expect(await get(`https://${host}:${port}/_thaw/health`, ca)).toContain('"ready"');
    await expect(fetch(`${platform.url}/_thaw/health`)).rejects.toThrow("fetch failed");
  });

  it("runs functions, which reach it on their own link without TLS", async () => {
    const Variables = { QUEUE: `${platform.url}/000000000000/queue` };
    await create(lambda, "calls-back", CALLS_BACK, { Environment: { Variables } });
    const { error, payload } = await invoke(lambda, "calls-back");
    expect(error).toBeUndefined();
    expect(payload).toMatchObject({
      endpoint: expect.stringMatching(/^http:/),
      queue: expect.stringMatching(/^http:\/\/.*\/000000000000\/queue$/),
      Arn: expect.stringContaining("thaw-basic-execution"),
    });
  });

  it("hands out links that lead to it over TLS", async () => {
    await create(lambda, "linked", ECHO);
    const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName: "linked" }));
    expect(Code?.Location).toMatch(new RegExp(`^${platform.url}/_thaw/code/`));
    expect((await get(Code?.Location ?? "", ca)).slice(0, 2)).toBe("PK");
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "linked",
        StatementId: "everybody",
        Principal: "*",
        Action: "lambda:InvokeFunctionUrl",
        FunctionUrlAuthType: "NONE",
      }),
    );
    await lambda.send(
      new AddPermissionCommand({
        FunctionName: "linked",
        StatementId: "everybody-invoke",
        Principal: "*",
        Action: "lambda:InvokeFunction",
        InvokedViaFunctionUrl: true,
      }),
    );
    const { FunctionUrl = "" } = await lambda.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: "linked", AuthType: "NONE" }),
    );
    const byName = new LambdaClient({
      ...settings(),
      endpoint: platform.url.replace(/\/\/.*:/, "//localhost:"),
    });
    const local = await byName.send(new GetFunctionCommand({ FunctionName: "linked" }));
    expect(local.Code?.Location).toMatch(/^https:\/\/localhost:/);
    byName.destroy();
    expect(FunctionUrl).toMatch(/^https:/);
    if (new URL(FunctionUrl).hostname.endsWith("localhost")) return;
    expect(await get(FunctionUrl, ca)).toBe("https");
  });

  it("serves the JavaScript SDK, uploads that wait for 100-continue included", async () => {
    const NODE_EXTRA_CA_CERTS = join(data, "tls", "ca.pem");
    const env = {
      ...variables(),
      NODE_EXTRA_CA_CERTS,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    };
    const args = ["--input-type=module", "--eval", UPLOADS];
    const cwd = import.meta.dirname;
    expect(await run(process.execPath, args, { env, cwd })).toEqual({
      code: 0,
      stdout: "5242880\n",
      stderr: "",
    });
  });

  it.skipIf(!works("python3", "-c", "import boto3"))(
    "serves boto3 that trusts it, and no other",
    async () => {
      const script = join(import.meta.dirname, "tls.py");
      const trusting = { ...variables(), AWS_CA_BUNDLE: join(data, "tls", "ca.pem") };
      const { code, stdout, stderr } = await run("python3", [script], { env: trusting });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(JSON.parse(stdout)).toEqual({
        size: 3_000_000,
        presigned: `${platform.url}/over-tls/k`,
        queue: `${platform.url}/000000000000/over-tls`,
      });
      const other = await run("python3", [script], { env: variables() });
      expect(other.code).not.toBe(0);
      expect(other.stderr).toMatch(/SSLError|CERTIFICATE_VERIFY_FAILED/);
      // The same by the port of this host alone, which functions use: their connection is no TLS, and the policy knows.
      await create(lambda, "reads", READS);
      expect((await invoke(lambda, "reads")).payload).toBe("AccessDenied");
    },
  );

  it.skipIf(!works("curl", "--version"))("serves curl, names below localhost included", async () => {
    const { port } = new URL(platform.url);
    const object = `https://a-bucket.s3.localhost:${port}/k`;
    const args = [
      "-sS",
      "--cacert",
      join(data, "tls", "ca.pem"),
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      object,
    ];
    expect(await run("curl", args)).toEqual({ code: 0, stdout: "404", stderr: "" });
  });

  it("is found and trusted by Thaw's own commands", async () => {
    await create(lambda, "commanded", `exports.handler = async () => "hello";`);
    const env = { THAW_ROOT_KEY, THAW_DATA: data };
    const at = ["--endpoint", platform.url];
    expect(await thaw(["invoke", "commanded", ...at], { env })).toEqual({
      code: 0,
      stdout: '"hello"\n',
      stderr: "",
    });
    expect(await thaw(["outbox", ...at], { env })).toMatchObject({
      code: 0,
      stdout: "Nothing was sent yet.\n",
    });
    const printed = await thaw(["env", "--json", ...at], { env });
    expect(JSON.parse(printed.stdout)).toMatchObject({
      AWS_ENDPOINT_URL: platform.url,
      AWS_CA_BUNDLE: join(data, "tls", "ca.pem"),
      NODE_EXTRA_CA_CERTS: join(data, "tls", "ca.pem"),
    });
    const flag = ["--ca-bundle", join(data, "tls", "ca.pem")];
    expect(await thaw(["invoke", "commanded", ...at, ...flag], { env: { THAW_ROOT_KEY } })).toMatchObject({
      code: 0,
    });
    for (const command of [["invoke", "commanded"], ["outbox"]]) {
      const distrusted = await thaw([...command, ...at], { env: { THAW_ROOT_KEY, HOME: folder } });
      expect(distrusted).toMatchObject({ code: 1, stdout: "" });
      expect(distrusted.stderr).toMatch(/is not trusted: .*Name its authority with --ca-bundle FILE/);
    }
  });
});

const READS = `exports.handler = async () => {
  const { GetObjectCommand, S3Client } = require("@aws-sdk/client-s3");
  const s3 = new S3Client({ forcePathStyle: true });
  return s3.send(new GetObjectCommand({ Bucket: "over-tls", Key: "k" })).then(() => "read", ({ name }) => name);
};`;

describe("a given certificate", () => {
  const identityOf = (name: string) =>
    ownIdentity({ folder: join(folder, name), names: () => ["localhost", "127.0.0.1"], clock, ids }).load();
  const flags = ["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")];

  async function put(name: string): Promise<void> {
    const { certificate, privateKey } = await identityOf(name);
    writeFileSync(join(folder, "cert.pem"), certificate);
    writeFileSync(join(folder, "key.pem"), privateKey, { mode: 0o600 });
  }

  async function shown(url: string): Promise<string> {
    const { hostname: host, port } = new URL(url);
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  it("is shown on loopback, and replaced while the platform runs", async () => {
    await put("first");
    const platform = await startPlatform(flags);
    expect(platform.url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    const before = await shown(platform.url);
    writeFileSync(join(folder, "key.pem"), "half-written");
    await until(() => expect(platform.errors()).toContain("the certificate was not replaced"));
    expect(await shown(platform.url)).toBe(before);
    await put("second");
    await until(async () => expect(await shown(platform.url)).not.toBe(before));
    const ca = readFileSync(authorityFile(join(folder, "second")), "utf8");
    expect(await get(`${platform.url}/_thaw/health`, ca)).toContain('"ready"');
    expect(await platform.stop()).toBe(0);
  });

  it("that does not fit its key is refused at the start", async () => {
    await put("first");
    writeFileSync(join(folder, "key.pem"), (await identityOf("second")).privateKey);
    await expect(startPlatform(flags)).rejects.toThrow(
      /ended with 1: .*key\.pem is not the key of the certificate in/,
    );
  });
});

it("leaves no port behind where it cannot listen", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  const port = String(typeof address === "object" ? address?.port : 0);
  await expect(startPlatform(["--tls", "--port", port])).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is in use`,
  );
  server.close();
});
