// Mappings whose queues are empty cost no processor time, however many there are.
import { CreateEventSourceMappingCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { create, HELLO, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { figure } from "./figures.ts";
import { parallel, soak } from "./support.ts";

const MAPPINGS = soak ? 10_000 : 200;
const WATCHED_MS = soak ? 30_000 : 1000;

let platform: TestPlatform;
let lambda: LambdaClient;
let sqs: SQSClient;
beforeAll(async () => {
  platform = await startPlatform(["--sandbox", "process", "--iam", "off"]);
  lambda = lambdaFor(platform.url);
  sqs = new SQSClient(clientFor(platform.url));
});
afterAll(async () => {
  lambda.destroy();
  sqs.destroy();
  expect(await platform.stop()).toBe(0);
});

/** Processor time that the platform's own process has used, in milliseconds: a tick is 10 ms. */
function processorMs(): number {
  const stat = readFileSync(`/proc/${platform.pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

it.skipIf(process.platform !== "linux")(
  `${MAPPINGS} mappings wait for messages`,
  async () => {
    await create(lambda, "hello", HELLO, { Timeout: 10 });
    const watch = async (): Promise<number> => {
      await sleep(1000);
      const before = processorMs();
      await sleep(WATCHED_MS);
      return (processorMs() - before) / (WATCHED_MS / 1000);
    };
    const without = await watch();
    await parallel(MAPPINGS, 16, async (n) => {
      await sqs.send(new CreateQueueCommand({ QueueName: `queue-${n}` }));
      const EventSourceArn = `arn:aws:sqs:us-east-1:000000000000:queue-${n}`;
      await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "hello", EventSourceArn }));
    });
    const idle = (await watch()) - without;
    await figure(`processor time of ${MAPPINGS} idle mappings (ms a second)`, Math.round(idle));
    // A long poll of each every twenty seconds would be 500 requests a second.
    expect(idle).toBeLessThan(20);
    // And any of them hears of its first message.
    const QueueUrl = `${platform.url}/000000000000/queue-${MAPPINGS - 1}`;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "last" }));
    await until(async () =>
      expect((await logged(platform.url, "hello")).join("")).toContain('"body":"last"'),
    );
  },
  1_200_000,
);
