import { Readable } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import type { UrlRequest, UrlResponse } from "../../../src/services/lambda/urls/types.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";
const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${FunctionName}`;

beforeEach(async () => {
  lambda = createLambdaFixture(storage());
});

type CreateInput = Parameters<typeof lambda.call<"CreateFunctionUrlConfig">>[1];

const createUrl = (input: Partial<CreateInput> = {}) =>
  lambda.call("CreateFunctionUrlConfig", { FunctionName, AuthType: "NONE", ...input });
const getUrl = (input: object = {}) => lambda.call("GetFunctionUrlConfig", { FunctionName, ...input });
const updateUrl = (input: object = {}) => lambda.call("UpdateFunctionUrlConfig", { FunctionName, ...input });
const deleteUrl = (input: object = {}) => lambda.call("DeleteFunctionUrlConfig", { FunctionName, ...input });
const listUrls = (input: object = {}) => lambda.call("ListFunctionUrlConfigs", { FunctionName, ...input });

/** The recorder wrote this in place of every URL of some scenarios. */
async function withoutUrl(outcome: Promise<unknown>): Promise<unknown> {
  const strip = (output: object) => ({ ...output, FunctionUrl: "lambda-url" });
  const output = (await outcome) as { FunctionUrlConfigs?: object[]; FunctionUrl?: string };
  if (output.FunctionUrlConfigs !== undefined)
    return { ...output, FunctionUrlConfigs: output.FunctionUrlConfigs.map(strip) };
  expect(output.FunctionUrl).toMatch(/^http:\/\/[a-z2-7]{32}\.lambda-url\.us-east-1\.localhost:4566\/$/);
  return strip(output);
}

async function createAlias(): Promise<void> {
  await lambda.call("PublishVersion", { FunctionName });
  await lambda.call("CreateAlias", { FunctionName, Name: "urlalias", FunctionVersion: "1" });
}

/** The second permission is demanded since October 2025, after these recordings were made. */
async function allowEveryone(input: object = {}): Promise<void> {
  const statement = { FunctionName, Principal: "*", ...input };
  await lambda.call("AddPermission", {
    ...statement,
    StatementId: "urlPermission",
    Action: "lambda:InvokeFunctionUrl",
    FunctionUrlAuthType: "NONE",
  });
  await lambda.call("AddPermission", {
    ...statement,
    StatementId: "invokePermission",
    Action: "lambda:InvokeFunction",
    InvokedViaFunctionUrl: true,
  });
}

async function visit(
  url: string | undefined,
  request: Partial<UrlRequest> = {},
): Promise<UrlResponse & { readonly text: string }> {
  const { host } = new URL(url ?? "");
  const answer = lambda.service.urls.serve({
    method: "GET",
    path: "/",
    query: "",
    body: Buffer.alloc(0),
    remoteAddress: "127.0.0.1",
    baseUrl: `http://${host}`,
    ...request,
    headers: { host, ...request.headers },
  });
  if (answer === undefined) throw new Error(`${url} is no function URL`);
  const response = await answer;
  const { body = "" } = response;
  if (body instanceof Readable) throw new Error("nothing here is streamed");
  return { ...response, text: body.toString() };
}

describe("URL configurations", () => {
  test("test_url_config_lifecycle", async () => {
    const recording = new Recording("function-urls", "test_url_config_lifecycle");
    await lambda.create(FunctionName);
    await recording.expect("url_creation", withoutUrl(createUrl()));
    await recording.expect("failed_duplication", createUrl());
    await recording.expect("get_url_config", withoutUrl(getUrl()));
    await recording.expect("updated_url_config", withoutUrl(updateUrl({ AuthType: "AWS_IAM" })));
    await deleteUrl();
    await recording.expect("failed_getter", getUrl());
  });

  test("test_lambda_update_function_url_config", async () => {
    const recording = new Recording("function-urls", "test_lambda_update_function_url_config");
    await lambda.create(FunctionName);
    await recording.expect("create_lambda_url_config", createUrl({ InvokeMode: "BUFFERED" }));
    await recording.expect("get_url_config", getUrl());
    const modified = updateUrl({ InvokeMode: "RESPONSE_STREAM" });
    await recording.expect("modify_lambda_url_config", modified);
    await recording.expect("get_url_config_2", getUrl());
    await recording.expect("modify_lambda_url_config_none", updateUrl({ AuthType: "NONE" }));
    await recording.expect("get_url_config_3", getUrl());
  });

  test("test_url_config_list_paging", async () => {
    const recording = new Recording("function-urls", "test_url_config_list_paging");
    await recording.expect("list_function_notfound", listUrls());
    await lambda.create(FunctionName);
    await createAlias();
    await recording.expect("list_all_empty", listUrls());
    await recording.expect("url_config_fn", withoutUrl(createUrl()));
    await recording.expect("url_config_alias", withoutUrl(createUrl({ Qualifier: "urlalias" })));
    await recording.expect("list_all", withoutUrl(listUrls()));
    const first = await listUrls({ MaxItems: 1 });
    expect(first.FunctionUrlConfigs).toHaveLength(1);
    const second = await listUrls({ MaxItems: 1, Marker: first.NextMarker });
    expect(second.FunctionUrlConfigs?.[0]?.FunctionArn).toBe(`${arn}:urlalias`);
    expect(second.NextMarker).toBeUndefined();
  });

  test("test_url_config_exceptions", async () => {
    const recording = new Recording("function-urls", "test_url_config_exceptions");
    await lambda.create(FunctionName);
    await createAlias();
    const operations = { create: createUrl, get: getUrl, update: updateUrl, delete: deleteUrl };
    const absent = { FunctionName: "doesnotexist" };
    for (const [verb, operation] of Object.entries(operations)) {
      const step = (name: string) => `${verb}_function_url_config_${name}`;
      await recording.expect(step("name_doesnotexist"), operation(absent));
      const absentArn = { FunctionName: `${arn}-doesnotexist` };
      await recording.expect(step("arn_doesnotexist"), operation(absentArn));
      const absentAlias = { Qualifier: "doesnotexist" };
      await recording.expect(step("qualifier_alias_doesnotexist"), operation(absentAlias));
      if (verb !== "create") await recording.expect(step("config_doesnotexist"), operation());
      const other = { FunctionName: `${arn}:urlalias`, Qualifier: "urlalias-doesnotmatch" };
      // AWS failed internally when it was asked to delete.
      if (verb !== "delete")
        await recording.expect(step("qualifier_alias_doesnotmatch_arn"), operation(other));
    }
  });
});

describe("calls of URLs", () => {
  const answer = (value: string) => {
    lambda.engine.answer = () => ({
      payload: Buffer.from(value),
      functionError: undefined,
      logTail: undefined,
    });
  };

  test.each([
    ["string", '"hello"'],
    ["float", "3.1"],
    ["http-response", '{"statusCode": 200, "body": "body123"}'],
    ["http-response-json", JSON.stringify({ statusCode: 200, body: '{"hello": "world"}' })],
  ])("test_lambda_url_invocation[%s]", async (scenario, returned) => {
    const recording = new Recording("function-urls", `test_lambda_url_invocation[${scenario}]`);
    await lambda.create(FunctionName);
    const created = createUrl();
    await recording.expect("create_lambda_url_config", created);
    await allowEveryone();
    answer(returned);
    const { status, headers, text: content } = await visit((await created).FunctionUrl);
    const recorded = recording.read("lambda_url_invocation") as Record<string, never>;
    expect({
      statuscode: status,
      // The recorder read what was JSON.
      content: scenario === "http-response-json" ? JSON.parse(content) : content,
      headers: {
        "Content-Length": String(Buffer.byteLength(content)),
        "Content-Type": headers["content-type"],
      },
    }).toEqual(recorded);
  });

  test("test_lambda_url_persists_after_alias_delete", async () => {
    const recording = new Recording("function-urls", "test_lambda_url_persists_after_alias_delete");
    await lambda.create(FunctionName);
    await createAlias();
    const { FunctionUrl } = await createUrl({ Qualifier: "urlalias" });
    await allowEveryone({ Qualifier: "urlalias" });
    answer('"hi"');
    const before = await visit(FunctionUrl);
    recording.compare(
      recording.read("invoke_aliased_url_response"),
      { status_code: before.status },
      "before",
    );
    await lambda.call("DeleteAlias", { FunctionName, Name: "urlalias" });
    expect((await getUrl({ Qualifier: "urlalias" })).FunctionUrl).toBe(FunctionUrl);
    const after = await visit(FunctionUrl);
    recording.compare(
      recording.read("invoke_deleted_alias_url_response_delayed"),
      {
        status_code: after.status,
        content: JSON.parse(after.text) as never,
        headers: { "x-amzn-ErrorType": String(after.headers["x-amzn-errortype"]) },
      },
      "after",
    );
  });

  test("test_request_id_invoke_url", async () => {
    const recording = new Recording("function-urls", "test_request_id_invoke_url");
    await lambda.create(FunctionName);
    const { FunctionUrl } = await createUrl();
    await allowEveryone();
    answer('"hi"');
    const { status, headers, text } = await visit(FunctionUrl);
    recording.compare(
      recording.read("lambda_url_invocation"),
      {
        statuscode: status,
        content: text,
        headers: { "x-amzn-RequestId": String(headers["x-amzn-requestid"]) },
      },
      "lambda_url_invocation",
    );
    // Under which the function's END line is written.
    expect(lambda.engine.invocations[0]?.requestId).toBe(headers["x-amzn-requestid"]);
  });
});

describe("events of URLs, as functions echoed them", () => {
  interface Echo {
    readonly args: Record<string, string>;
    readonly data: string | object;
    readonly headers: Record<string, string>;
    readonly method: string;
    readonly path: string;
  }

  test.each([
    ["test_lambda_url_echo_http_fixture_default", "q=query&multiQuery=foo&multiQuery=%2Fbar"],
    ["test_lambda_url_form_payload", ""],
  ])("%s", async (scenario, query) => {
    const recorded = new Recording("function-urls", scenario).read("url_response") as unknown as Echo;
    await lambda.create(FunctionName);
    const { FunctionUrl } = await createUrl();
    await allowEveryone();
    const { args, data, headers, method, path } = recorded;
    // Written by AWS, or by whoever is in front of it.
    const own = Object.entries(headers).filter(([name]) => !/^(?:host$|x-)/.test(name));
    const sent = typeof data === "string" ? Buffer.from(data, "base64") : Buffer.from(JSON.stringify(data));
    const hopByHop = { connection: "keep-alive" };
    const request = { method, path, query, body: sent, headers: { ...Object.fromEntries(own), ...hopByHop } };
    await visit(FunctionUrl, request);
    const event = JSON.parse(Buffer.from(lambda.engine.invocations[0]?.payload ?? []).toString()) as {
      readonly rawPath: string;
      readonly queryStringParameters?: object;
      readonly headers: object;
      readonly body: string;
      readonly isBase64Encoded: boolean;
    };
    expect(event.rawPath).toBe(path);
    expect(event.queryStringParameters ?? {}).toEqual(args);
    // Without TLS there is nothing to tell of it.
    const told = Object.keys(headers).filter((name) => !name.startsWith("x-amzn-tls-"));
    // Some scenarios' function told of no such header at all.
    const trims = !("x-forwarded-for" in headers);
    const shown = Object.keys(event.headers).filter((name) => !trims || !name.startsWith("x-"));
    expect(shown.toSorted()).toEqual(told.toSorted());
    expect(event.headers).toMatchObject(Object.fromEntries(own));
    expect(event.isBase64Encoded).toBe(typeof data === "string");
    expect(typeof data === "string" ? event.body : JSON.parse(event.body)).toEqual(data);
  });
});

describe("beyond the recordings", () => {
  test("a URL goes with its function, and its address leads nowhere then", async () => {
    await lambda.create(FunctionName);
    const { FunctionUrl } = await createUrl();
    await lambda.call("DeleteFunction", { FunctionName });
    expect((await visit(FunctionUrl)).status).toBe(404);
    await lambda.create(FunctionName);
    expect((await errorOf(getUrl())).code).toBe("ResourceNotFoundException");
    expect([...storage().documents.list([ACCOUNT, REGION, "function-url-id"])]).toEqual([]);
  });

  test("parallel creations make one URL", async () => {
    await lambda.create(FunctionName);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => createUrl()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect([...storage().documents.list([ACCOUNT, REGION, "function-url-id"])]).toHaveLength(1);
  });

  test("CORS settings are kept whole, replaced whole, and taken away by empty ones", async () => {
    await lambda.create(FunctionName);
    const Cors = { AllowOrigins: ["https://a.example"], AllowMethods: ["GET"], MaxAge: 0 };
    expect((await createUrl({ Cors })).Cors).toEqual(Cors);
    expect((await updateUrl({ InvokeMode: "BUFFERED" })).Cors).toEqual(Cors);
    expect((await updateUrl({ Cors: { AllowCredentials: true } })).Cors).toEqual({ AllowCredentials: true });
    expect(await updateUrl({ Cors: {} })).not.toHaveProperty("Cors");
  });

  test("functions that isolate tenants can have none", async () => {
    await lambda.create(FunctionName, { TenancyConfig: { TenantIsolationMode: "PER_TENANT" } });
    expect(await errorOf(createUrl())).toMatchObject({ code: "InvalidParameterValueException" });
  });
});
