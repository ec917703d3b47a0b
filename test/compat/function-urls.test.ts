import { createHash, createHmac } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  type CreateFunctionUrlConfigCommandInput,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { SignatureV4 } from "@smithy/signature-v4";
import type { SourceData } from "@smithy/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packages } from "../support/packages.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { run, works } from "../support/tools.ts";
import { zipOf } from "../support/zip.ts";

const waiter = { maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
const RUNTIME = `nodejs${process.versions.node.split(".")[0]}.x` as NonNullable<
  CreateFunctionRequest["Runtime"]
>;

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
});

afterAll(async () => {
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

interface Urls {
  /** As the API tells it: `http://<id>.lambda-url.us-east-1.localhost:<port>/` */
  readonly host: string;
  /** For clients that cannot resolve such a name. */
  readonly path: string;
}

/** A function with a URL that everybody may call, unless its settings demand signatures. */
async function createUrl(
  FunctionName: string,
  files: Record<string, string>,
  settings: Partial<CreateFunctionUrlConfigCommandInput> = {},
): Promise<Urls> {
  const ZipFile = await zipOf(files);
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: RUNTIME,
      Handler: "index.handler",
      Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
      Code: { ZipFile },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, ...waiter }, { FunctionName });
  const { FunctionUrl = "" } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: "NONE", ...settings }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "everyone",
      Action: "lambda:InvokeFunctionUrl",
      Principal: "*",
      FunctionUrlAuthType: "NONE",
    }),
  );
  await lambda.send(
    new AddPermissionCommand({
      FunctionName,
      StatementId: "everyone-invoke",
      Action: "lambda:InvokeFunction",
      Principal: "*",
      InvokedViaFunctionUrl: true,
    }),
  );
  const [id] = new URL(FunctionUrl).hostname.split(".");
  return { host: FunctionUrl, path: `${platform.url}/_thaw/url/${id}/` };
}

const ECHO = { "index.mjs": "export const handler = async (event) => event;" };

/** Node.js's own client, told where the host name leads as a browser knows. */
async function visit(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const { hostname, port, pathname, search, host } = new URL(url);
  expect(hostname).toMatch(/\.localhost$/);
  const outgoing = httpRequest({
    host: "127.0.0.1",
    port,
    path: pathname + search,
    headers: { host, ...headers },
  });
  outgoing.end();
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

describe("events and responses", () => {
  let echo: Urls;
  beforeAll(async () => {
    echo = await createUrl("echo", ECHO);
  });

  it("hands a request on in payload format 2.0, whichever address it came by", async () => {
    const sent = { method: "POST", headers: { "content-type": "application/json", "X-Own": "Kept As Is" } };
    const body = JSON.stringify({ some: "thing" });
    const response = await fetch(`${echo.path}items/1%2F2?a=1&b=x%20y&a=2`, { ...sent, body });
    expect(response.status).toBe(200);
    const [id = ""] = new URL(echo.host).hostname.split(".");
    expect(await response.json()).toEqual({
      version: "2.0",
      routeKey: "$default",
      rawPath: "/items/1%2F2",
      rawQueryString: "a=1&b=x%20y&a=2",
      queryStringParameters: { a: "1,2", b: "x y" },
      headers: expect.objectContaining({
        "content-type": "application/json",
        "x-own": "Kept As Is",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": new URL(platform.url).port,
        "x-amzn-trace-id": expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/) as string,
      }) as object,
      requestContext: {
        accountId: "anonymous",
        apiId: id,
        domainName: `${id}.lambda-url.us-east-1.localhost`,
        domainPrefix: id,
        http: {
          method: "POST",
          path: "/items/1%2F2",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: expect.any(String) as string,
        },
        requestId: response.headers.get("x-amzn-requestid"),
        routeKey: "$default",
        stage: "$default",
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/) as string,
        timeEpoch: expect.any(Number) as number,
      },
      body,
      isBase64Encoded: false,
    });
    const visited = await visit(`${echo.host}?x=1`, { cookie: "a=1; b=2" });
    const event = JSON.parse(await text(visited)) as { cookies: string[]; headers: object };
    expect(event.cookies).toEqual(["a=1", "b=2"]);
    expect(event.headers).not.toHaveProperty("cookie");
  });

  it.skipIf(!works("curl", "--version"))("curl finds the address as the API tells it", async () => {
    const { stdout } = await run("curl", ["-sS", "-i", "--data", "a=1", `${echo.host}from/curl`]);
    const [head = "", body = ""] = stdout.split("\r\n\r\n");
    expect(head).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(JSON.parse(body)).toMatchObject({
      rawPath: "/from/curl",
      body: Buffer.from("a=1").toString("base64"),
      isBase64Encoded: true,
    });
  });

  it("brings bytes there and back, with cookies", async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256));
    const { path } = await createUrl("bytes", {
      "index.mjs": `export const handler = async ({ body, isBase64Encoded }) => ({
        statusCode: 201, headers: { "Content-Type": "application/x-own" }, cookies: ["a=1; Path=/", "b=2"], body, isBase64Encoded });`,
    });
    const response = await fetch(path, { method: "PUT", body: bytes });
    expect(response.status).toBe(201);
    expect(response.headers.get("content-type")).toBe("application/x-own");
    expect(response.headers.getSetCookie()).toEqual(["a=1; Path=/", "b=2"]);
    expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
  });

  it("answers 502 for a function that fails or answers what is none", async () => {
    const { path } = await createUrl("failing", {
      "index.mjs": `export const handler = async ({ rawPath }) => {
        if (rawPath === "/throw") throw new Error("no");
        if (rawPath === "/exit") process.exit(1);
        return rawPath === "/status" ? { statusCode: "fine" } : { statusCode: 200, headers: { a: "b\\r\\nc: d" } };
      };`,
    });
    for (const way of ["throw", "status", "header", "exit"]) {
      const response = await fetch(path + way);
      expect([way, response.status, await response.text()]).toEqual([way, 502, "Internal Server Error"]);
    }
  });

  it("refuses bodies above 6 MB without reading them, and goes on", async () => {
    const response = await fetch(echo.path, { method: "POST", body: Buffer.alloc(6_291_457) });
    expect(response.status).toBe(413);
    // As text it would fit; in base64 it does not.
    const swollen = await fetch(echo.path, { method: "POST", body: Buffer.alloc(6_000_000) });
    expect(swollen.status).toBe(413);
    expect((await fetch(echo.path)).status).toBe(200);
  });

  it("answers 429 where the function's concurrency is used up, and 404 once it is gone", async () => {
    const { path, host } = await createUrl("throttled", ECHO);
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: "throttled", ReservedConcurrentExecutions: 0 }),
    );
    const response = await fetch(path);
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({
      Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    });
    await lambda.send(new DeleteFunctionCommand({ FunctionName: "throttled" }));
    expect((await fetch(path)).status).toBe(404);
    expect((await visit(host)).statusCode).toBe(404);
  });
});

describe("frameworks", () => {
  it("middy parses the body of an event, Powertools routes it", async () => {
    const { path } = await createUrl("framework", {
      ...packages(
        "@middy/core",
        "@middy/util",
        "@middy/http-json-body-parser",
        "@aws-lambda-powertools/event-handler",
        "@aws-lambda-powertools/commons",
        "@aws/lambda-invoke-store",
      ),
      "index.mjs": `
        import middy from "@middy/core";
        import jsonBody from "@middy/http-json-body-parser";
        import { Router } from "@aws-lambda-powertools/event-handler/http";
        const app = new Router();
        app.get("/todos/:id", async ({ params }) => ({ id: params.id }));
        const parse = middy(async ({ body }) => ({ statusCode: 200, body: JSON.stringify({ doubled: body.n * 2 }) }))
          .use(jsonBody());
        export const handler = async (event, context) =>
          event.requestContext.http.method === "POST" ? parse(event, context) : app.resolve(event, context);
      `,
    });
    const parsed = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"n": 21}',
    });
    expect(await parsed.json()).toEqual({ doubled: 42 });
    const routed = await fetch(`${path}todos/7`);
    expect([routed.status, await routed.json()]).toEqual([200, { id: "7" }]);
    expect((await fetch(`${path}nothing`)).status).toBe(404);
  });
});

describe("streaming", () => {
  it("passes a response on as it is written, with its status, headers and cookies", async () => {
    const { path } = await createUrl(
      "streaming",
      {
        "index.mjs": `export const handler = awslambda.streamifyResponse(async ({ rawPath }, stream) => {
          if (rawPath === "/throw") throw new Error("before anything");
          if (rawPath === "/plain") { stream.setContentType("text/plain"); stream.write("plain"); return stream.end(); }
          const out = awslambda.HttpResponseStream.from(stream, {
            statusCode: 203, headers: { "X-Own": "yes", "Content-Type": "text/event-stream" }, cookies: ["a=1"] });
          out.write("first");
          if (rawPath === "/cut") { await new Promise((r) => setTimeout(r, 50)); throw new Error("in the middle"); }
          const gate = process.env.AWS_ENDPOINT_URL + "/_thaw/url/" + rawPath.slice(1) + "/";
          while (!(await fetch(gate)).ok) await new Promise((resolve) => setTimeout(resolve, 10));
          out.end("second");
        });`,
      },
      { InvokeMode: "RESPONSE_STREAM" },
    );
    const plain = await fetch(`${path}plain`);
    expect([plain.status, plain.headers.get("content-type"), await plain.text()]).toEqual([
      200,
      "text/plain",
      "plain",
    ]);
    const failed = await fetch(`${path}throw`);
    expect([failed.status, await failed.text()]).toEqual([502, "Internal Server Error"]);
    const cut = await fetch(`${path}cut`);
    expect(cut.status).toBe(203);
    expect(cut.headers.get("x-own")).toBe("yes");
    expect(cut.headers.getSetCookie()).toEqual(["a=1"]);
    await expect(cut.text()).rejects.toThrow();

    // The function goes on only once its first part has been read here.
    const gate = await createUrl("gate", ECHO);
    const closed = { FunctionName: "gate", ReservedConcurrentExecutions: 0 };
    await lambda.send(new PutFunctionConcurrencyCommand(closed));
    const [gateId = ""] = new URL(gate.host).hostname.split(".");
    const response = await fetch(path + gateId);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("first");
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: "gate" }));
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe("second");
    expect((await reader?.read())?.done).toBe(true);
  });
});

describe("signatures", () => {
  let signed: Urls;
  beforeAll(async () => {
    signed = await createUrl("signed", ECHO, { AuthType: "AWS_IAM" });
  });

  function bytesOf(data: SourceData): Buffer {
    if (typeof data === "string") return Buffer.from(data);
    return ArrayBuffer.isView(data)
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      : Buffer.from(data);
  }

  class Sha256 {
    readonly #hash;
    constructor(secret?: SourceData) {
      this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
    }
    update(data: SourceData): void {
      this.#hash.update(bytesOf(data));
    }
    digest(): Promise<Uint8Array> {
      return Promise.resolve(this.#hash.digest());
    }
  }

  it("lets nobody in without one", async () => {
    const response = await fetch(signed.path);
    expect(response.status).toBe(403);
    expect(response.headers.get("x-amzn-errortype")).toBe("AccessDeniedException");
    expect(await response.json()).toEqual({
      Message:
        "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
    });
  });

  it("takes what @smithy/signature-v4 signs for the service lambda, and tells the function who called", async () => {
    const signer = new SignatureV4({
      service: "lambda",
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      sha256: Sha256,
    });
    const { hostname, port, pathname, host, protocol } = new URL(signed.path);
    const body = "hello";
    const request = await signer.sign({
      method: "POST",
      protocol,
      hostname,
      port: Number(port),
      path: `${pathname}a/b`,
      query: { q: "1" },
      headers: { host, "content-type": "text/plain" },
      body,
    });
    const response = await fetch(`${signed.path}a/b?q=1`, { method: "POST", headers: request.headers, body });
    expect(response.status).toBe(200);
    const event = (await response.json()) as { headers: object; requestContext: object; body: string };
    expect(event.body).toBe(body);
    expect(event.headers).not.toHaveProperty("authorization");
    expect(event.requestContext).toMatchObject({
      accountId: "000000000000",
      authorizer: {
        iam: {
          accessKey: "test",
          accountId: "000000000000",
          callerId: "000000000000",
          cognitoIdentity: null,
          principalOrgId: null,
          userArn: "arn:aws:iam::000000000000:root",
          userId: "000000000000",
        },
      },
    });
  });

  const python = works("python3", "-c", "import botocore");
  it.skipIf(!python)("takes what botocore signs (needs a Python that has it), and nothing else", async () => {
    const script = join(import.meta.dirname, "function_url_signed.py");
    const { stdout, stderr } = await run("python3", [script, signed.path]);
    expect(stderr).toBe("");
    const answers = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as [number, object]);
    expect(answers).toMatchObject([
      [200, { body: '{"from": "botocore"}', rawPath: "/items/a%20b" }],
      [403, { message: expect.stringContaining("signature we calculated does not match") as string }],
      [403, { message: "Credential should be scoped to correct service: 'lambda'." }],
    ]);
  });
});

describe("browsers", () => {
  it("asks the URL, not the function, what may be sent; both add their headers to an answer", async () => {
    const { path } = await createUrl(
      "cors",
      {
        "index.mjs": `export const handler = async () => ({ statusCode: 200, headers: { "X-Own": "1" }, body: "" });`,
      },
      {
        Cors: {
          AllowOrigins: ["https://app.example"],
          AllowMethods: ["GET", "POST"],
          AllowHeaders: ["x-token"],
          AllowCredentials: true,
          ExposeHeaders: ["x-own"],
          MaxAge: 60,
        },
      },
    );
    const preflight = (origin: string) =>
      fetch(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
    const allowed = Object.fromEntries((await preflight("https://app.example")).headers);
    expect(allowed).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-headers": "x-token",
      "access-control-allow-credentials": "true",
      "access-control-max-age": "60",
      vary: "Origin",
    });
    const refused = await preflight("https://evil.example");
    expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    const response = await fetch(path, { headers: { origin: "https://app.example" } });
    expect(response.headers.get("x-own")).toBe("1");
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response.headers.get("access-control-expose-headers")).toBe("x-own");
  });
});
