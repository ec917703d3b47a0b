import { beforeEach, describe, expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { rootPrincipal, type Principal } from "#core/principal";
import { createMetricSink } from "#telemetry/metric-sink";
import {
  ACCOUNT,
  createLambdaFixture,
  REGION,
  type LambdaFixture,
} from "../../../../test/support/lambda-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";
import type { UrlRequest } from "./types.ts";

const storage = withStorage();
const FunctionName = "fn";
const OTHER = "222222222222";
const role = (account: string): Principal => ({
  kind: "assumed-role",
  account,
  arn: `arn:aws:sts::${account}:assumed-role/caller/session`,
  userId: "AROAEXAMPLE:session",
  roleArn: `arn:aws:iam::${account}:role/caller`,
});

let lambda: LambdaFixture;
let problems: unknown[];
let metrics: ReturnType<typeof createMetricSink>;
/** Who a signed request turns out to be from. */
let principal: Principal;
let scope: { region: string; service: string };

beforeEach(async () => {
  problems = [];
  principal = role(ACCOUNT);
  scope = { region: REGION, service: "lambda" };
  lambda = createLambdaFixture(storage(), {
    random: () => 0.25,
    onProblem: (problem) => void problems.push(problem),
    authenticate: ({ body }) => ({ principal, ...scope, body, trailers: {} }),
    metrics: {
      series: (address) => metrics.series(address),
    },
  });
  metrics = createMetricSink({ clock: lambda.clock });
  await lambda.create(FunctionName);
});

type UrlInput = Parameters<typeof lambda.call<"CreateFunctionUrlConfig">>[1];

async function createUrl(input: Partial<UrlInput> = {}): Promise<string> {
  const url = { FunctionName, AuthType: "NONE" as const, ...input };
  const { FunctionUrl = "" } = await lambda.call("CreateFunctionUrlConfig", url);
  return new URL(FunctionUrl).host;
}

function put(...statements: object[]): Promise<unknown> {
  const ResourceArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`;
  const whole = statements.map((statement) => ({ Resource: ResourceArn, ...statement }));
  const Policy = JSON.stringify({ Version: "2012-10-17", Statement: whole });
  return lambda.call("PutResourcePolicy", { ResourceArn, Policy });
}

const EVERYONE = {
  Effect: "Allow",
  Principal: "*",
  Action: ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"],
};
const SIGNED = {
  authorization: `AWS4-HMAC-SHA256 Credential=AKIA/20260101/${REGION}/lambda/aws4_request, SignedHeaders=host, Signature=x`,
};

async function visit(host: string, request: Partial<UrlRequest> = {}) {
  const { headers = {}, ...rest } = request;
  const response = await lambda.service.urls.serve({
    method: "GET",
    path: "/",
    query: "",
    body: Buffer.alloc(0),
    remoteAddress: "127.0.0.1",
    baseUrl: `http://${host}`,
    ...rest,
    headers: { host, ...headers },
  });
  if (response === undefined) throw new Error(`${host} is no function URL`);
  return response;
}

const statusOf = async (...args: Parameters<typeof visit>): Promise<number> => (await visit(...args)).status;

describe("a URL without signatures", () => {
  it("is open where its policy allows everybody to invoke it, and nowhere else", async () => {
    const host = await createUrl();
    expect(await statusOf(host)).toBe(403);
    const open: [object, number][] = [
      [EVERYONE, 200],
      [{ ...EVERYONE, Principal: { AWS: "*" } }, 200],
      [{ ...EVERYONE, Action: ["lambda:Invoke*"] }, 200],
      [{ ...EVERYONE, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }, 403],
      [{ ...EVERYONE, Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }, 403],
    ];
    for (const [statement, status] of open) {
      await put(statement);
      expect([statement, await statusOf(host)]).toEqual([statement, status]);
    }
  });

  it("takes two permissions, each by the condition that is its own", async () => {
    const host = await createUrl();
    const everyone = (Action: string, Condition: object = {}) => ({ ...EVERYONE, Action, Condition });
    const url = (type: string) =>
      everyone("lambda:InvokeFunctionUrl", { StringEquals: { "lambda:FunctionUrlAuthType": type } });
    const invoke = (via: string) =>
      everyone("lambda:InvokeFunction", { Bool: { "lambda:InvokedViaFunctionUrl": via } });
    const cases: [object[], number][] = [
      [[url("NONE")], 403],
      [[invoke("true")], 403],
      [[url("NONE"), invoke("true")], 200],
      [[url("NONE"), invoke("false")], 403],
      [[url("AWS_IAM"), invoke("true")], 403],
      [[url("NONE"), everyone("lambda:InvokeFunction")], 200],
    ];
    for (const [statements, status] of cases) {
      await put(...statements);
      expect([statements, await statusOf(host)]).toEqual([statements, status]);
    }
  });

  it("stays closed to whom a statement denies it", async () => {
    const host = await createUrl();
    await put(EVERYONE, { ...EVERYONE, Effect: "Deny" });
    expect(await statusOf(host)).toBe(403);
    await put(EVERYONE, { Effect: "Deny", NotPrincipal: "*", Action: "*" });
    expect(await statusOf(host)).toBe(200);
  });

  it("leaves the caller's own Authorization header to the function", async () => {
    const host = await createUrl();
    await put(EVERYONE);
    await visit(host, { headers: { authorization: "Bearer x" } });
    expect(String(Buffer.from(lambda.engine.invocations[0]?.payload ?? []))).toContain("Bearer x");
  });
});

describe("a URL that demands signatures", () => {
  it("takes those of its own account unless its policy denies it, of others where it allows it", async () => {
    const host = await createUrl({ AuthType: "AWS_IAM" });
    expect(await statusOf(host)).toBe(403);
    expect(await statusOf(host, { headers: SIGNED })).toBe(200);
    principal = role(OTHER);
    expect(await statusOf(host, { headers: SIGNED })).toBe(403);
    for (const AWS of [OTHER, `arn:aws:iam::${OTHER}:root`, `arn:aws:iam::${OTHER}:role/caller`]) {
      await put({ ...EVERYONE, Principal: { AWS } });
      expect([AWS, await statusOf(host, { headers: SIGNED })]).toEqual([AWS, 200]);
    }
    principal = rootPrincipal(ACCOUNT);
    await put({ ...EVERYONE, Effect: "Deny" });
    expect(await statusOf(host, { headers: SIGNED })).toBe(403);
    expect(lambda.engine.invocations).toHaveLength(4);
  });

  it.each([
    { region: "eu-west-1", service: "lambda" },
    { region: REGION, service: "s3" },
  ])("refuses a signature for %j", async (other) => {
    const host = await createUrl({ AuthType: "AWS_IAM" });
    scope = other;
    const response = await visit(host, { headers: SIGNED });
    expect(response.status).toBe(403);
    expect(response.headers["x-amzn-errortype"]).toBe("InvalidSignatureException");
  });
});

describe("what a URL runs", () => {
  it("is its alias's versions by their weights, with the alias in the ARN", async () => {
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    await lambda.service.idle();
    await lambda.call("PublishVersion", { FunctionName });
    const RoutingConfig = { AdditionalVersionWeights: { "2": 0.3 } };
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1", RoutingConfig });
    const host = await createUrl({ Qualifier: "live", AuthType: "AWS_IAM" });
    expect(await statusOf(host, { headers: SIGNED })).toBe(200);
    expect(lambda.engine.invocations[0]).toMatchObject({
      invokedArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}:live`,
      spec: { version: "2" },
    });
  });

  it("is found by its address alone: not in another region, nor under another id", async () => {
    const host = await createUrl();
    await put(EVERYONE);
    const [id = ""] = host.split(".");
    expect(await statusOf("127.0.0.1", { path: `/_thaw/url/${id}/x` })).toBe(200);
    for (const other of [host.replace(REGION, "eu-west-1"), host.replace(id, "a".repeat(32)), `x${host}`]) {
      const response = await visit(other);
      expect([response.status, response.body]).toEqual([404, '{"Message":null}']);
    }
    expect(await statusOf("127.0.0.1", { path: "/_thaw/url/" })).toBe(404);
  });

  it("keeps the root of a trace that the caller brings, and nothing else of it", async () => {
    const host = await createUrl();
    await put(EVERYONE);
    const root = "Root=1-5759e988-bd862e3fe1be46a994272793";
    const given = { "x-amzn-trace-id": `Self=x;${root};Sampled=1;Evil=y` };
    const response = await visit(host, { headers: given });
    expect(response.headers["x-amzn-trace-id"]).toBe(`${root};Sampled=0`);
    expect(lambda.engine.invocations[0]?.traceHeader).toBe(root);
  });
});

describe.each(["BUFFERED", "RESPONSE_STREAM"] as const)("failures of a %s URL", (InvokeMode) => {
  it("a throttle is 429, the platform's own failure is 502 and told to the operator", async () => {
    const host = await createUrl({ InvokeMode });
    await put(EVERYONE);
    lambda.engine.answer = () => {
      throw new AwsError("TooManyRequestsException", "Rate Exceeded.", {
        status: 429,
        members: { Reason: "ConcurrentInvocationLimitExceeded" },
        headers: { "retry-after": "1" },
      });
    };
    const throttled = await visit(host);
    expect(throttled.status).toBe(429);
    expect(throttled.headers["retry-after"]).toBe("1");
    const broken = new Error("broken");
    lambda.engine.answer = () => {
      throw broken;
    };
    const failed = await visit(host);
    expect([failed.status, failed.body]).toEqual([502, "Internal Server Error"]);
    expect(problems).toEqual([broken]);
  });

  it("an error of the function is 502", async () => {
    const host = await createUrl({ InvokeMode });
    await put(EVERYONE);
    const payload = Buffer.from('{"errorMessage":"no"}');
    lambda.engine.answer = () => ({ payload, functionError: "Unhandled", logTail: undefined });
    const failed = await visit(host);
    expect([failed.status, failed.body]).toEqual([502, "Internal Server Error"]);
  });
});

describe("browsers", () => {
  const Cors = { AllowOrigins: ["https://*"], ExposeHeaders: ["x-own"] };
  const origin = "https://a.example";

  it("are answered a preflight by the URL alone, whatever its policy says", async () => {
    const host = await createUrl({ Cors, AuthType: "AWS_IAM" });
    const headers = { origin, "access-control-request-method": "PUT" };
    const response = await visit(host, { method: "OPTIONS", headers });
    expect(response.status).toBe(200);
    expect(response.headers["access-control-allow-origin"]).toBe(origin);
    expect(lambda.engine.invocations).toHaveLength(0);
    // Without settings it is the function's to answer.
    await lambda.call("UpdateFunctionUrlConfig", { FunctionName, Cors: {} });
    expect(await statusOf(host, { method: "OPTIONS", headers })).toBe(403);
  });

  it("see the URL's headers beside the function's own", async () => {
    const host = await createUrl({ Cors });
    await put(EVERYONE);
    const own = { statusCode: 200, headers: { "Access-Control-Allow-Origin": "*", Vary: "Accept" } };
    lambda.engine.answer = () => ({
      payload: Buffer.from(JSON.stringify(own)),
      functionError: undefined,
      logTail: undefined,
    });
    const { headers } = await visit(host, { headers: { origin } });
    expect(headers["access-control-allow-origin"]).toEqual(["*", origin]);
    expect(headers["vary"]).toEqual(["Accept", "Origin"]);
    expect(headers["access-control-expose-headers"]).toBe("x-own");
    const http = await visit(host, { headers: { origin: "http://a.example" } });
    expect(http.headers["access-control-allow-origin"]).toBe("*");
  });
});

it("counts requests, their errors and how long they took, by function and by resource", async () => {
  const host = await createUrl();
  await statusOf(host);
  await put(EVERYONE);
  await statusOf(host);
  lambda.engine.answer = () => ({
    payload: Buffer.from("{"),
    functionError: undefined,
    logTail: undefined,
  });
  await statusOf(host);
  const counts = metrics
    .read()
    .map(({ address, minutes }): [string, number] => [
      [address.name, ...Object.keys(address.dimensions)].join(" "),
      minutes.reduce((sum, { count }) => sum + count, 0),
    ]);
  expect(Object.fromEntries(counts)).toEqual({
    "UrlRequestCount FunctionName": 3,
    "UrlRequestCount FunctionName Resource": 3,
    "Url4xxCount FunctionName": 1,
    "Url4xxCount FunctionName Resource": 1,
    "Url5xxCount FunctionName": 1,
    "Url5xxCount FunctionName Resource": 1,
    "UrlRequestLatency FunctionName": 3,
    "UrlRequestLatency FunctionName Resource": 3,
  });
});
