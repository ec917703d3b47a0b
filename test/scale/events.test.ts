// What was acknowledged is handled at least once, however often the platform is killed meanwhile.
import { CreateEventSourceMappingCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { create, invoke, lambdaFor, temporaryFolder, until, WAITS } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { figure } from "./figures.ts";
import { sendRaw } from "./raw-clients.ts";
import { signerOfEvents } from "./ready-signatures.ts";
import { parallel, soak } from "./support.ts";

const EVENTS = soak ? 100_000 : 320;
const KILLS = soak ? 10 : 2;
const CLIENTS = 32;
/** Events that are signed, and then sent, at once. */
const ROUND = 10_000;
const folder = temporaryFolder();

/** Notes what it handles in a file of the host's, which only plain processes can. */
function notes(file: string): string {
  return `const { appendFileSync } = require("node:fs");
    exports.handler = async (event) => {
      const handled = event.Records?.map(({ body }) => body) ?? [event.order_id];
      appendFileSync(${JSON.stringify(file)}, handled.map((id) => id + "\\n").join(""));
    };`;
}

/** How often each was handled. A line that a kill cut off is none. */
function handledIn(file: string): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  if (!existsSync(file)) return counts;
  for (const line of readFileSync(file, "utf8").split("\n").slice(0, -1))
    counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1);
  return counts;
}

interface Tally {
  readonly lost: number;
  readonly duplicates: number;
}

function tally(file: string, expected: number): Tally {
  const counts = handledIn(file);
  let [lost, duplicates] = [0, 0];
  for (let id = 0; id < expected; id++) {
    const count = counts.get(id) ?? 0;
    if (count === 0) lost++;
    else duplicates += count - 1;
  }
  return { lost, duplicates };
}

/** Starts the platform and kills it at a random moment, again and again; the last one is left alive. */
async function withKills(
  start: () => Promise<TestPlatform>,
  first: TestPlatform,
  kills: number,
): Promise<TestPlatform> {
  let platform = first;
  for (let kill = 0; kill < kills; kill++) {
    await sleep(Math.random() * (soak ? 3000 : 400));
    await platform.stop("SIGKILL");
    platform = await start();
  }
  return platform;
}

/** Waits until all are handled, for as long as more of them are. */
async function drained(file: string, expected: number): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 60;) {
    const { size } = handledIn(file);
    if (size >= expected) return;
    quiet = size > before ? 0 : quiet + 1;
    before = size;
    await sleep(500);
  }
}

/** Those that a test which failed has left. */
const started: TestPlatform[] = [];
afterAll(() => Promise.all(started.map((platform) => platform.stop("SIGKILL"))));

async function startWith(flags: readonly string[]): Promise<TestPlatform> {
  const platform = await startPlatform(flags);
  started.push(platform);
  return platform;
}

it(`loses none of ${EVENTS} asynchronous events over ${KILLS} kills`, async () => {
  const file = join(folder, "events.txt");
  const flags = ["--data", join(folder, "events"), "--sandbox", "process"];
  // The one place is taken: events are accepted and none runs.
  const paused = await startWith([...flags, "--concurrency", "1"]);
  let lambda: LambdaClient = lambdaFor(paused.url);
  await create(lambda, "notes", notes(file));
  await create(lambda, "waits", WAITS, { Timeout: 900 });
  const waiting = invoke(lambda, "waits").catch(() => "cut");

  let seconds = 0;
  for (let from = 0; from < EVENTS; from += ROUND) {
    // Signatures are good for five minutes, which a host that is busy with other things may need for all of them.
    const sign = signerOfEvents({ ...clientFor(paused.url), url: paused.url }, "notes");
    const requests = Array.from({ length: Math.min(ROUND, EVENTS - from) }, (_, n) =>
      sign({ order_id: from + n }),
    );
    seconds += await sendRaw(paused.url, requests, CLIENTS);
  }
  expect(handledIn(file).size).toBe(0);
  await paused.stop("SIGKILL");
  await waiting;
  lambda.destroy();

  const start = () => startWith(flags);
  const platform = await withKills(start, await start(), KILLS - 1);
  lambda = lambdaFor(platform.url);
  await drained(file, EVENTS);
  const { lost, duplicates } = tally(file, EVENTS);
  expect(lost).toBe(0);
  expect(await platform.stop()).toBe(0);
  lambda.destroy();
  await figure("asynchronous events accepted from 32 clients while none ran", EVENTS);
  await figure("of those, accepted a second", Math.round(EVENTS / seconds));
  await figure("kills of the platform while asynchronous events were run", KILLS);
  await figure("asynchronous events lost", lost);
  await figure("asynchronous events run more than once", duplicates);
}, 1_800_000);

it(`loses none of ${EVENTS} messages of a queue over ${KILLS} kills`, async () => {
  const file = join(folder, "messages.txt");
  // Who may read a queue is the matter of other tests.
  const flags = ["--data", join(folder, "messages"), "--sandbox", "process", "--iam", "off"];
  const start = () => startWith(flags);
  const first = await start();
  const lambda = lambdaFor(first.url);
  const sqs = new SQSClient(clientFor(first.url));
  await create(lambda, "notes", notes(file), { Timeout: 3 });
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({ QueueName: "messages", Attributes: { VisibilityTimeout: "3" } }),
  );
  await parallel(EVENTS / 10, CLIENTS, async (batch) => {
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: `${batch * 10 + n}` }));
    const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    expect(Failed).toEqual([]);
  });
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: ["QueueArn", "ApproximateNumberOfMessages"],
    }),
  );
  expect(Attributes?.ApproximateNumberOfMessages).toBe(String(EVENTS));
  await lambda.send(
    new CreateEventSourceMappingCommand({ FunctionName: "notes", EventSourceArn: Attributes?.QueueArn }),
  );
  const platform = await withKills(start, first, KILLS);
  await drained(file, EVENTS);
  const { lost, duplicates } = tally(file, EVENTS);
  expect(lost).toBe(0);
  // And the queue knows it.
  const later = new SQSClient(clientFor(platform.url));
  await until(async () => {
    const names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const left = await later.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...names] }));
    expect(names.map((name) => left.Attributes?.[name])).toEqual(["0", "0"]);
  });
  for (const client of [lambda, sqs, later]) client.destroy();
  expect(await platform.stop()).toBe(0);
  await figure(`messages of a queue given to a function over ${KILLS} kills`, EVENTS);
  await figure("messages of a queue lost", lost);
  await figure("messages of a queue given more than once", duplicates);
}, 1_800_000);
