import { rootPrincipal } from "#core/principal";
import { beforeEach, describe, expect, test } from "vitest";
import {
  createLambdaFixture,
  errorOf,
  OTHER_ARCHIVE,
  type LambdaFixture,
} from "../../../test/support/lambda-service.ts";
import { withStorage } from "../../../test/support/storage.ts";

const storage = withStorage();
let lambda: LambdaFixture;
let share = 0.5;
const FunctionName = "fn";
const json = (value: unknown) => Buffer.from(JSON.stringify(value));

beforeEach(async () => {
  lambda = createLambdaFixture(storage(), { random: () => share });
  await lambda.create("fn");
});

describe("Invoke", () => {
  test("passes the event's bytes, the context and the trace on, and answers with what came back", async () => {
    lambda.engine.answer = () => ({
      payload: json({ errorMessage: "no" }),
      functionError: "Unhandled",
      logTail: Buffer.from("END\n"),
    });
    const Payload = Buffer.from(' {"a": 1}\n');
    const output = await lambda.call(
      "Invoke",
      {
        FunctionName,
        Payload,
        LogType: "Tail",
        ClientContext: json({ custom: { a: "b" } }).toString("base64"),
      },
      { requestId: "the-request", headers: { "x-amzn-trace-id": "Root=1-2-3" } },
    );
    expect(output).toEqual({
      StatusCode: 200,
      ExecutedVersion: "$LATEST",
      FunctionError: "Unhandled",
      Payload: json({ errorMessage: "no" }),
      LogResult: Buffer.from("END\n").toString("base64"),
    });
    const [invocation] = lambda.engine.invocations;
    expect(invocation?.payload).toBe(Payload);
    expect(invocation).toMatchObject({
      requestId: "the-request",
      invokedArn: "arn:aws:lambda:us-east-1:111111111111:function:fn",
      clientContext: '{"custom":{"a":"b"}}',
      traceHeader: expect.stringMatching(/^Root=1-2-3;Lineage=1:[0-9a-f]{8}:1$/),
      tail: true,
      spec: { name: "fn", version: "$LATEST", runtime: "python3.12", timeoutMs: 3000, memoryMb: 128 },
    });
  });

  test("says that what a function answered is JSON", async () => {
    const answered: Record<string, string> = {};
    await lambda.call("Invoke", { FunctionName }, { responseHeaders: answered });
    expect(answered).toEqual({ "content-type": "application/json" });
    const accepted: Record<string, string> = {};
    await lambda.call("Invoke", { FunctionName, InvocationType: "Event" }, { responseHeaders: accepted });
    expect(accepted).toEqual({});
  });

  test("passes an empty object where there is no payload", async () => {
    await lambda.call("Invoke", { FunctionName });
    expect(Buffer.from(lambda.engine.invocations[0]?.payload ?? []).toString()).toBe("{}");
  });

  test("refuses what is not JSON, and what is too large", async () => {
    const invoke = (Payload: Buffer, InvocationType: "Event" | "RequestResponse" = "RequestResponse") =>
      errorOf(lambda.call("Invoke", { FunctionName, Payload, InvocationType }));
    expect(await invoke(Buffer.from("test data"))).toEqual({
      code: "InvalidRequestContentException",
      status: 400,
      type: "User",
      message: `Could not parse request body into json: Could not parse payload into json: Unrecognized token 'test': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: (byte[])"test data"; line: 1, column: 6]`,
    });
    expect(await invoke(json("x".repeat(6_291_455)))).toMatchObject({
      code: "RequestEntityTooLargeException",
      status: 413,
      message: "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
    });
    expect(await invoke(json("x".repeat(1_048_575)), "Event")).toMatchObject({ status: 413 });
    expect(await invoke(Buffer.from("[".repeat(400_000)))).toMatchObject({
      code: "InvalidRequestContentException",
    });
    expect(lambda.engine.invocations).toEqual([]);
    expect(lambda.accepted).toEqual([]);
    await lambda.call("Invoke", { FunctionName, Payload: json("x".repeat(6_291_454)) });
    expect(lambda.engine.invocations).toHaveLength(1);
  });

  test("refuses a client context that is no base64 of a JSON object", async () => {
    for (const ClientContext of ["%%%", json([1]).toString("base64"), "A".repeat(3584)])
      expect(await errorOf(lambda.call("Invoke", { FunctionName, ClientContext }))).toMatchObject({
        code: "InvalidRequestContentException",
        message: "Client context must be a valid Base64-encoded JSON object.",
      });
  });

  test("answers an event once it is accepted", async () => {
    const Payload = json({ n: 1 });
    await lambda.call("Invoke", { FunctionName, Payload, InvocationType: "Event", Qualifier: "$LATEST" });
    await lambda.call("InvokeAsync", { FunctionName, InvokeArgs: Payload as never });
    expect(lambda.accepted).toMatchObject([
      { functionName: "fn", qualifier: "$LATEST", payload: Payload, account: "111111111111" },
      { functionName: "fn", qualifier: undefined, payload: Payload },
    ]);
  });

  test("is refused while the function is being created", async () => {
    lambda.engine.hold();
    await lambda.call("CreateFunction", {
      FunctionName: "new",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::111111111111:role/r",
      Code: { ZipFile: OTHER_ARCHIVE },
    });
    expect(await errorOf(lambda.call("Invoke", { FunctionName: "new" }))).toEqual({
      code: "ResourceConflictException",
      status: 409,
      type: "User",
      message:
        "The operation cannot be performed at this time. The function is currently in the following state: Pending",
    });
    lambda.engine.release();
    await lambda.service.idle();
    expect(await lambda.call("Invoke", { FunctionName: "new" })).toMatchObject({ StatusCode: 200 });
  });

  test("runs the code before an update until the update is done, then retires it", async () => {
    const invokedSha = async () => {
      await lambda.call("Invoke", { FunctionName });
      return lambda.engine.invocations.at(-1)?.spec;
    };
    const before = await invokedSha();
    lambda.engine.hold();
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE });
    expect(await invokedSha()).toEqual(before);
    expect(lambda.engine.retired).toEqual([]);
    lambda.engine.release();
    await lambda.service.idle();
    const after = await invokedSha();
    expect(after?.code.sha256).not.toBe(before?.code.sha256);
    expect(lambda.engine.retired).toEqual([before?.id]);
  });

  test("forgets what it knew of a function that changes", async () => {
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
    const live = () => lambda.call("Invoke", { FunctionName: "fn:live" });
    expect(await live()).toMatchObject({ ExecutedVersion: "1" });
    await lambda.call("UpdateAlias", { FunctionName, Name: "live", FunctionVersion: "$LATEST" });
    expect(await live()).toMatchObject({ ExecutedVersion: "$LATEST" });
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    await lambda.service.idle();
    await live();
    expect(lambda.engine.invocations.at(-1)?.spec.timeoutMs).toBe(9000);
    await lambda.call("DeleteFunction", { FunctionName });
    expect(await errorOf(live())).toMatchObject({
      code: "ResourceNotFoundException",
      message: "Function not found: arn:aws:lambda:us-east-1:111111111111:function:fn:live",
    });
  });

  test("shares an alias's invocations between its versions", async () => {
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE, Publish: true });
    await lambda.service.idle();
    await lambda.call("CreateAlias", {
      FunctionName,
      Name: "live",
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.3 } },
    });
    const executed = async (random: number) => {
      share = random;
      return (await lambda.call("Invoke", { FunctionName, Qualifier: "live" })).ExecutedVersion;
    };
    expect(await executed(0)).toBe("2");
    expect(await executed(0.29)).toBe("2");
    expect(await executed(0.3)).toBe("1");
    expect(await executed(0.99)).toBe("1");
    expect(lambda.engine.invocations[0]?.invokedArn).toBe(
      "arn:aws:lambda:us-east-1:111111111111:function:fn:live",
    );
  });

  test("reads names, partial ARNs and ARNs", async () => {
    const arn = "arn:aws:lambda:us-east-1:111111111111:function:fn";
    for (const name of ["fn", "111111111111:function:fn", "function:fn", arn, `${arn}:$LATEST`])
      expect(await lambda.call("Invoke", { FunctionName: name })).toMatchObject({ StatusCode: 200 });
    const other = arn.replaceAll("1111", "2222");
    // Whether the caller may know of another account's functions is asked before (test/iam/enforcement.test.ts).
    expect(await errorOf(lambda.call("Invoke", { FunctionName: other }))).toMatchObject({
      code: "ResourceNotFoundException",
      message: `Function not found: ${other}:$LATEST`,
    });
  });

  test("runs a function of another account by its ARN, where permissions were asked before", async () => {
    const theirs = { account: "222222222222", principal: rootPrincipal("222222222222") };
    const arn = "arn:aws:lambda:us-east-1:111111111111:function:fn";
    for (let n = 0; n < 2; n++)
      expect(await lambda.call("Invoke", { FunctionName: arn }, theirs)).toMatchObject({ StatusCode: 200 });
    expect(lambda.engine.invocations.map(({ spec }) => spec.account)).toEqual([
      "111111111111",
      "111111111111",
    ]);
    // The owner's changes are heard of.
    await lambda.call("DeleteFunction", { FunctionName });
    expect(await errorOf(lambda.call("Invoke", { FunctionName: arn }, theirs))).toMatchObject({
      code: "ResourceNotFoundException",
    });
  });
});
