import { Agent } from "node:http";
import type { LookupFunction } from "node:net";
import { join } from "node:path";
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  StartLiveTailCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { awsVariables, run, works } from "../support/tools.ts";
import { until } from "../support/until.ts";

const ARN = "arn:aws:logs:us-east-1:000000000000:log-group:/tailed";
const pythons = ["python3", "/usr/bin/python3"].filter((file) =>
  works(file, "-c", "import boto3; boto3.client('logs', region_name='us-east-1').start_live_tail"),
);

/** Resolves every name to this machine, as DNS resolves `streaming-logs.us-east-1.amazonaws.com` to AWS's. */
const lookup: LookupFunction = (_host, { all }, callback) =>
  all === true ? callback(null, [{ address: "127.0.0.1", family: 4 }]) : callback(null, "127.0.0.1", 4);

let platform: TestPlatform;
let logs: CloudWatchLogsClient;

function newClient(url = platform.url) {
  const httpAgent = new Agent({ keepAlive: true, lookup });
  return new CloudWatchLogsClient({ ...clientFor(url), requestHandler: { httpAgent } });
}

beforeAll(async () => {
  platform = await startPlatform();
  logs = newClient();
  await logs.send(new CreateLogGroupCommand({ logGroupName: "/tailed" }));
  await logs.send(new CreateLogStreamCommand({ logGroupName: "/tailed", logStreamName: "s" }));
});
afterAll(async () => {
  logs.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

async function tail(client: CloudWatchLogsClient) {
  const { responseStream } = await client.send(new StartLiveTailCommand({ logGroupIdentifiers: [ARN] }));
  if (responseStream === undefined) throw new Error("no stream");
  return responseStream;
}

function put(message: string) {
  const logEvents = [{ timestamp: Date.now(), message }];
  return logs.send(new PutLogEventsCommand({ logGroupName: "/tailed", logStreamName: "s", logEvents }));
}

it("tails log groups with the JavaScript SDK, under the host name that it asks for", async () => {
  const client = newClient();
  let updates = 0;
  for await (const { sessionStart, sessionUpdate } of await tail(client)) {
    if (sessionStart !== undefined) {
      expect(sessionStart.logGroupIdentifiers).toEqual([ARN]);
      await put("one");
    }
    const found = sessionUpdate?.sessionResults?.map(({ message }) => message) ?? [];
    if (found.length === 0) continue;
    expect(found).toEqual([["one"], ["two"]][updates]);
    updates++;
    if (updates === 2) break;
    await put("two");
  }
  client.destroy();
  expect(updates).toBe(2);
});

it("lets go of sessions whose client has gone", async () => {
  const first = newClient();
  const streams = [];
  for (let n = 0; n < 15; n++) streams.push((await tail(first))[Symbol.asyncIterator]());
  const second = newClient();
  await expect(tail(second)).rejects.toMatchObject({ name: "LimitExceededException" });
  first.destroy();
  await until(() => tail(second));
  second.destroy();
  for (const stream of streams) await stream.return?.();
});

describe.skipIf(pythons.length === 0)("boto3 (needs one that knows start_live_tail)", () => {
  it.each(pythons.map((python, index) => [python, String(index)]))(
    "%s tails log groups",
    async (python, suffix) => {
      const script = join(import.meta.dirname, "live_tail.py");
      const { code, stdout, stderr } = await run(python, [script, platform.url, suffix], {
        env: awsVariables(platform.url),
      });
      expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: "done", stderr: "" });
    },
  );
});

it("tells those who tail that the platform stops", async () => {
  const other = await startPlatform();
  const client = newClient(other.url);
  await client.send(new CreateLogGroupCommand({ logGroupName: "/tailed" }));
  const stream = await tail(client);
  const read = async () => {
    for await (const { sessionStart } of stream) if (sessionStart !== undefined) other.kill("SIGINT");
  };
  await expect(read()).rejects.toMatchObject({ name: "SessionStreamingException" });
  expect(await other.stop()).toBe(0);
  client.destroy();
});
