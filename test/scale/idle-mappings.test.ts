// Mappings whose queues are empty cost no processor time, however many there are.
import { CreateEventSourceMappingCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { processorMs } from "#cli/bench/subjects";
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

/**
 * Processor time that the platform's own process takes, in milliseconds a second: that of the quietest of three looks, as
 * what was done before, garbage collected and code compiled, goes on for a while. Polling would be in each of them.
 */
async function idleLoad(): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 3; look++) {
    /* oxlint-disable no-await-in-loop */
    await sleep(1000);
    const before = await processorMs(platform.pid);
    await sleep(WATCHED_MS);
    const after = await processorMs(platform.pid);
    if (before === undefined || after === undefined) throw new Error("the kernel does not tell");
    looks.push((after - before) / (WATCHED_MS / 1000));
    /* oxlint-enable no-await-in-loop */
  }
  return Math.min(...looks);
}

it.skipIf(process.platform !== "linux")(
  `${MAPPINGS} mappings wait for messages`,
  async () => {
    await create(lambda, "hello", HELLO, { Timeout: 10 });
    const without = await idleLoad();
    await parallel(MAPPINGS, 16, async (n) => {
      await sqs.send(new CreateQueueCommand({ QueueName: `queue-${n}` }));
      const EventSourceArn = `arn:aws:sqs:us-east-1:000000000000:queue-${n}`;
      await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: "hello", EventSourceArn }));
    });
    const idle = (await idleLoad()) - without;
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
