import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateFunctionCommand,
  type CreateFunctionRequest,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  ListTagsCommand,
  PublishVersionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const ROLE = "arn:aws:iam::000000000000:role/thaw-basic-execution";
const waiter = { maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 };
/** The managed runtime that the Node.js of this test is. */
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

async function create(
  name: string,
  files: Record<string, string>,
  settings: Partial<CreateFunctionRequest> = {},
): Promise<void> {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: RUNTIME,
      Handler: "index.handler",
      Role: ROLE,
      Code: { ZipFile: await zipOf(files) },
      ...settings,
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, ...waiter }, { FunctionName: name });
}

async function invoke(name: string, event: unknown = {}) {
  const response = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), LogType: "Tail" }),
  );
  return {
    ...response,
    payload: JSON.parse(Buffer.from(response.Payload ?? []).toString("utf8")) as unknown,
    log: Buffer.from(response.LogResult ?? "", "base64").toString("utf8"),
  };
}

describe("the life of a function", () => {
  it("goes from Pending to Active, is read, listed, updated, tagged, invoked, published and deleted", async () => {
    const code = await zipOf({
      "index.js": "exports.handler = async (e) => ({ one: e, v: process.env.VALUE });",
    });
    const created = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "life",
        Runtime: RUNTIME,
        Handler: "index.handler",
        Role: ROLE,
        Code: { ZipFile: code },
        Environment: { Variables: { VALUE: "1" } },
        Tags: { team: "a" },
      }),
    );
    expect(created.$metadata.httpStatusCode).toBe(201);
    expect(created).toMatchObject({
      FunctionArn: "arn:aws:lambda:us-east-1:000000000000:function:life",
      State: "Pending",
      StateReasonCode: "Creating",
      MemorySize: 128,
      Timeout: 3,
      Version: "$LATEST",
    });
    await waitUntilFunctionActiveV2({ client: lambda, ...waiter }, { FunctionName: "life" });
    const got = await lambda.send(new GetFunctionCommand({ FunctionName: "life" }));
    expect(got.Configuration).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
    expect(got.Tags).toEqual({ team: "a" });
    const download = await fetch(got.Code?.Location ?? "");
    expect(Buffer.from(await download.arrayBuffer()).equals(code)).toBe(true);

    const listed = await lambda.send(new ListFunctionsCommand({}));
    expect(listed.Functions?.map(({ FunctionName }) => FunctionName)).toContain("life");

    const first = await invoke("life", { a: 1 });
    expect(first).toMatchObject({ StatusCode: 200, ExecutedVersion: "$LATEST" });
    expect(first.payload).toEqual({ one: { a: 1 }, v: "1" });
    expect(first.log).toMatch(
      /^START RequestId: \S+ Version: \$LATEST\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms\t\n$/,
    );

    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: "life",
        Environment: { Variables: { VALUE: "2" } },
      }),
    );
    await waitUntilFunctionUpdatedV2({ client: lambda, ...waiter }, { FunctionName: "life" });
    expect((await invoke("life", {})).payload).toEqual({ one: {}, v: "2" });

    const second = await zipOf({ "index.js": "exports.handler = async () => 'two';" });
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: "life", ZipFile: second }));
    await waitUntilFunctionUpdatedV2({ client: lambda, ...waiter }, { FunctionName: "life" });
    expect((await invoke("life")).payload).toBe("two");

    const arn = created.FunctionArn ?? "";
    await lambda.send(new TagResourceCommand({ Resource: arn, Tags: { cost: "7" } }));
    await lambda.send(new UntagResourceCommand({ Resource: arn, TagKeys: ["team"] }));
    expect((await lambda.send(new ListTagsCommand({ Resource: arn }))).Tags).toEqual({ cost: "7" });

    const published = await lambda.send(new PublishVersionCommand({ FunctionName: "life" }));
    expect(published.Version).toBe("1");
    await waitUntilFunctionActiveV2({ client: lambda, ...waiter }, { FunctionName: "life", Qualifier: "1" });
    expect(await invoke("life:1")).toMatchObject({ ExecutedVersion: "1", payload: "two" });

    const deleted = await lambda.send(new DeleteFunctionCommand({ FunctionName: "life" }));
    expect([200, 204]).toContain(deleted.$metadata.httpStatusCode);
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: "life" }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:us-east-1:000000000000:function:life",
    });
  });
});

describe("what goes wrong is told in AWS's words", () => {
  const cases: [name: string, files: Record<string, string>, error: Record<string, unknown>][] = [
    [
      "throws",
      { "index.js": "exports.handler = async () => { throw new RangeError('no such order'); };" },
      { errorType: "RangeError", errorMessage: "no such order", trace: expect.any(Array) as unknown },
    ],
    ["missing-module", {}, { errorType: "Runtime.ImportModuleError" }],
    ["missing-handler", { "index.js": "exports.other = 1;" }, { errorType: "Runtime.HandlerNotFound" }],
    ["syntax-error", { "index.js": "exports.handler = (" }, { errorType: "Runtime.UserCodeSyntaxError" }],
    [
      "exits",
      { "index.js": "exports.handler = async () => process.exit(3);" },
      {
        errorType: "Runtime.ExitError",
        errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
      },
    ],
    [
      "large",
      { "index.js": "exports.handler = async () => 'x'.repeat(7e6);" },
      {
        errorType: "Function.ResponseSizeTooLarge",
        errorMessage: expect.stringContaining("exceeded maximum allowed payload size (6291556 bytes)."),
      },
    ],
  ];

  it.each(cases)("%s", async (name, files, error) => {
    await create(name, { "README.md": "an archive is never empty", ...files });
    const response = await invoke(name);
    expect(response.FunctionError).toBe("Unhandled");
    expect(response.payload).toMatchObject(error);
  });

  it("a time-out kills the environment, and the next invocation works", async () => {
    await create(
      "slow",
      {
        "index.js":
          "exports.handler = async (e) => (e.sleep ? new Promise(() => setInterval(() => {}, 1e3)) : 'ok');",
      },
      { Timeout: 4 },
    );
    const response = await invoke("slow", { sleep: true });
    expect(response.FunctionError).toBe("Unhandled");
    expect(response.payload).toMatchObject({
      errorMessage: expect.stringContaining("Task timed out after 4.00 seconds"),
    });
    expect(response.log).toContain("Task timed out after 4.00 seconds");
    expect((await invoke("slow")).payload).toBe("ok");
  });

  it("a payload that is not JSON, one that is too large, an unknown function", async () => {
    await create("echo", { "index.js": "exports.handler = async (e) => e;" });
    const send = (payload: string | Buffer, name = "echo") =>
      lambda.send(new InvokeCommand({ FunctionName: name, Payload: Buffer.from(payload) }));
    await expect(send("{nope")).rejects.toMatchObject({
      name: "InvalidRequestContentException",
      message: expect.stringContaining("Could not parse request body into json"),
    });
    await expect(send(`"${"x".repeat(6_291_456)}"`)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 413 },
    });
    await expect(send("{}", "nobody")).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST",
    });
  });

  it("a wrong secret, an unknown key, no signature", async () => {
    const with_ = (accessKeyId: string, secretAccessKey: string) =>
      new LambdaClient({ ...clientFor(platform.url), credentials: { accessKeyId, secretAccessKey } }).send(
        new ListFunctionsCommand({}),
      );
    await expect(with_("test", "wrong")).rejects.toMatchObject({ name: "InvalidSignatureException" });
    await expect(with_("AKIAUNKNOWNUNKNOWN12", "test")).rejects.toMatchObject({
      name: "UnrecognizedClientException",
    });
    const bare = await fetch(`${platform.url}/2015-03-31/functions/`);
    expect(bare.status).toBe(403);
    expect(await bare.json()).toEqual({ message: "Missing Authentication Token" });
  });
});

describe("Invoke", () => {
  it("DryRun answers 204 and runs nothing, Event answers 202 and runs once", async () => {
    await create("events", { "index.js": "exports.handler = async (e) => console.log('got', e.n);" });
    const dry = await lambda.send(new InvokeCommand({ FunctionName: "events", InvocationType: "DryRun" }));
    expect(dry.StatusCode).toBe(204);
    const queued = await lambda.send(
      new InvokeCommand({
        FunctionName: "events",
        InvocationType: "Event",
        Payload: Buffer.from('{"n":77}'),
      }),
    );
    expect(queued.StatusCode).toBe(202);
    const logs = new CloudWatchLogsClient(clientFor(platform.url));
    await vi.waitFor(
      async () => {
        const page = await logs.send(
          new FilterLogEventsCommand({ logGroupName: "/aws/lambda/events", filterPattern: "got" }),
        );
        expect(page.events?.map(({ message }) => message)).toEqual([
          expect.stringMatching(/INFO\tgot 77\n?$/),
        ]);
      },
      { timeout: 20_000, interval: 50 },
    );
  });

  it("hands the client context to the function", async () => {
    await create("context", { "index.js": "exports.handler = async (e, c) => c.clientContext;" });
    const context = Buffer.from(JSON.stringify({ custom: { a: "1" } })).toString("base64");
    const response = await lambda.send(
      new InvokeCommand({ FunctionName: "context", ClientContext: context }),
    );
    expect(JSON.parse(Buffer.from(response.Payload ?? []).toString())).toMatchObject({ custom: { a: "1" } });
  });

  it("serves the SDK to functions, pointed at the platform with the role's credentials", async () => {
    const iam = new IAMClient(clientFor(platform.url));
    const document = (statement: object) =>
      JSON.stringify({ Version: "2012-10-17", Statement: { Effect: "Allow", ...statement } });
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName: "calls",
        AssumeRolePolicyDocument: document({
          Principal: { Service: "lambda.amazonaws.com" },
          Action: "sts:AssumeRole",
        }),
      }),
    );
    const PolicyArn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";
    await iam.send(new AttachRolePolicyCommand({ RoleName: "calls", PolicyArn }));
    await iam.send(
      new PutRolePolicyCommand({
        RoleName: "calls",
        PolicyName: "itself",
        PolicyDocument: document({ Action: "lambda:GetFunctionConfiguration", Resource: "*" }),
      }),
    );
    await create(
      "calls",
      {
        "index.mjs": `
import { LambdaClient, GetFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
export const handler = async () => {
  const client = new LambdaClient({});
  const { FunctionName } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: "calls" }));
  return { FunctionName, key: process.env.AWS_ACCESS_KEY_ID.slice(0, 4) };
};`,
      },
      { Timeout: 30, Role: Role?.Arn },
    );
    expect((await invoke("calls")).payload).toEqual({ FunctionName: "calls", key: "ASIA" });
  });
});

it("a 12-digit access key id selects its account", async () => {
  const sts = new STSClient({
    ...clientFor(platform.url),
    credentials: { accessKeyId: "123456789012", secretAccessKey: "test" },
  });
  expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
    Account: "123456789012",
    Arn: "arn:aws:iam::123456789012:root",
  });
});
