// What clients send by mistake or on purpose is answered as a client's mistake, by a platform that serves on.
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { CreateFunctionCommand, LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
let logs: CloudWatchLogsClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
  logs = new CloudWatchLogsClient(clientFor(platform.url));
});
afterAll(async () => {
  expect(platform.errors()).not.toContain("internal failure");
  await platform.stop();
});

/** What a request is answered with where it fails. */
async function refusal(request: Promise<unknown>): Promise<unknown> {
  return request.then(
    () => "no error",
    (error: { name: string; $metadata?: { httpStatusCode?: number } }) => [
      error.name,
      error.$metadata?.httpStatusCode,
    ],
  );
}

describe("a hostile client", () => {
  it("may use half a surrogate pair as a name, as JSON can write it", async () => {
    const name = { logGroupName: "g", logStreamName: "a\ud800" };
    await logs.send(new CreateLogGroupCommand({ logGroupName: "g" }));
    await logs.send(new CreateLogStreamCommand(name));
    expect((await logs.send(new GetLogEventsCommand(name))).events).toEqual([]);
    const found = await logs.send(new DescribeLogStreamsCommand({ logGroupName: "g" }));
    expect(found.logStreams?.map(({ logStreamName }) => logStreamName)).toEqual(["a\ufffd"]);
  });

  it("may use names of the longest kind", async () => {
    const name = { logGroupName: "g".repeat(512), logStreamName: "€".repeat(512) };
    await logs.send(new CreateLogGroupCommand({ logGroupName: name.logGroupName }));
    await logs.send(new CreateLogStreamCommand(name));
    expect((await logs.send(new GetLogEventsCommand(name))).events).toEqual([]);
  });

  it("is told that a marker of its own making is invalid", async () => {
    for (const value of [null, {}, [], [1], [-1], ["\ud800"], "x"]) {
      const token = Buffer.from(JSON.stringify(value)).toString("base64url");
      expect(await refusal(lambda.send(new ListFunctionsCommand({ Marker: token })))).toEqual([
        "InvalidParameterValueException",
        400,
      ]);
      const streams = new DescribeLogStreamsCommand({ logGroupName: "g", nextToken: token });
      expect(await refusal(logs.send(streams))).toEqual(["InvalidParameterException", 400]);
    }
  });

  it("does not pass for another account's role", async () => {
    const create = new CreateFunctionCommand({
      FunctionName: "f",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::111122223333:role/theirs",
      Code: { ZipFile: Buffer.from("no zip") },
    });
    expect(await refusal(lambda.send(create))).toEqual(["AccessDeniedException", 403]);
  });

  it.each([
    "/_thaw/code/../../VERSION",
    "/_thaw/code/%2e%2e%2f",
    `/_thaw/code/${"0".repeat(64)}?expires=9e15&signature=00`,
  ])("reads nothing by the address %s", async (path) => {
    const answer = await fetch(platform.url + path);
    expect([403, 404]).toContain(answer.status);
  });
});
