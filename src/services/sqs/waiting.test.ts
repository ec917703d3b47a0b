import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { servicePrincipal } from "#core/principal";
import {
  ACCOUNT,
  createSqsFixture,
  REGION,
  type CallOptions,
  type SqsFixture,
} from "../../../test/support/sqs-service.ts";

let sqs: SqsFixture;
beforeEach(async () => {
  sqs = await createSqsFixture();
});
afterEach(async () => {
  expect(sqs.problems).toEqual([]);
  await sqs.close();
});

/** A long poll, and what it has found so far; `undefined` while it waits. */
function poll(QueueUrl: string, seconds = 20, options: CallOptions = {}) {
  const state: { found: readonly (string | undefined)[] | undefined } = { found: undefined };
  const input = { QueueUrl, WaitTimeSeconds: seconds, MaxNumberOfMessages: 10 };
  const done = sqs.call("ReceiveMessage", input, options).then(({ Messages = [] }) => {
    state.found = Messages.map(({ Body }) => Body);
  });
  return { state, done };
}

const send = (QueueUrl: string, MessageBody: string, more: object = {}) =>
  sqs.call("SendMessage", { QueueUrl, MessageBody, ...more });

describe("a long poll", () => {
  it("is answered by a send at once, while no time passes", async () => {
    const { url } = await sqs.create("q");
    const { state, done } = poll(url);
    await sqs.pass(0);
    expect(state.found).toBeUndefined();
    await send(url, "x");
    await done;
    expect(state.found).toEqual(["x"]);
  });

  it("ends with nothing when its time is over, and not before", async () => {
    const { url } = await sqs.create("q");
    const { state } = poll(url, 3);
    await sqs.pass(2999);
    expect(state.found).toBeUndefined();
    await sqs.pass(1);
    expect(state.found).toEqual([]);
  });

  it("gets what has waited for its delay when that is over", async () => {
    const { url } = await sqs.create("q");
    const { state } = poll(url);
    await sqs.pass(0);
    await send(url, "late", { DelaySeconds: 5 });
    await sqs.pass(4999);
    expect(state.found).toBeUndefined();
    await sqs.pass(1);
    expect(state.found).toEqual(["late"]);
  });

  it("gets what another one did not delete when its visibility timeout is over, or is ended", async () => {
    const { url } = await sqs.create("q", { VisibilityTimeout: "5" });
    await send(url, "x");
    const first = await sqs.call("ReceiveMessage", { QueueUrl: url });
    const { state } = poll(url);
    await sqs.pass(4999);
    expect(state.found).toBeUndefined();
    await sqs.pass(1);
    expect(state.found).toEqual(["x"]);
    const second = poll(url);
    await sqs.pass(0);
    const ReceiptHandle = first.Messages?.[0]?.ReceiptHandle;
    await sqs.call("ChangeMessageVisibility", { QueueUrl: url, ReceiptHandle, VisibilityTimeout: 0 });
    await second.done;
    expect(second.state.found).toEqual(["x"]);
  });

  it("is served in its turn: one message goes to the one who has waited longest", async () => {
    const { url } = await sqs.create("q");
    const polls = [poll(url), poll(url), poll(url)];
    await sqs.pass(0);
    await send(url, "first");
    await sqs.pass(0);
    await send(url, "second");
    await sqs.pass(0);
    expect(polls.map(({ state }) => state.found)).toEqual([["first"], ["second"], undefined]);
  });

  it("of a FIFO queue is answered when the group is free again", async () => {
    const { url } = await sqs.create("q.fifo", { FifoQueue: "true", ContentBasedDeduplication: "true" });
    for (const body of ["one", "two"]) await send(url, body, { MessageGroupId: "g" });
    const { Messages } = await sqs.call("ReceiveMessage", { QueueUrl: url });
    const { state, done } = poll(url);
    await sqs.pass(1000);
    expect(state.found).toBeUndefined();
    await sqs.call("DeleteMessage", { QueueUrl: url, ReceiptHandle: Messages?.[0]?.ReceiptHandle });
    await done;
    expect(state.found).toEqual(["two"]);
  });

  it("takes nothing any more when its client has gone", async () => {
    const { url } = await sqs.create("q");
    const gone = new AbortController();
    const first = poll(url, 20, { signal: gone.signal });
    await sqs.pass(0);
    gone.abort();
    await first.done;
    expect(first.state.found).toEqual([]);
    await send(url, "x");
    const second = poll(url);
    await second.done;
    expect(second.state.found).toEqual(["x"]);
  });

  it("of another service waits as one over HTTP does, and can be given up", async () => {
    const { url } = await sqs.create("q");
    const by = { principal: servicePrincipal("lambda.amazonaws.com", { account: ACCOUNT }), region: REGION };
    const gone = new AbortController();
    const input = { QueueUrl: url, WaitTimeSeconds: 20 };
    const givenUp = sqs.caller.call("sqs", "ReceiveMessage", input, { ...by, signal: gone.signal });
    const patient = sqs.caller.call("sqs", "ReceiveMessage", input, by);
    await sqs.pass(1000);
    gone.abort();
    expect(await givenUp).toEqual({});
    await send(url, "x");
    expect(await patient).toMatchObject({ Messages: [{ Body: "x" }] });
  });

  it("ends when the queue is deleted or the platform stops", async () => {
    const { url } = await sqs.create("q");
    const first = poll(url);
    await sqs.pass(0);
    await sqs.call("DeleteQueue", { QueueUrl: url });
    await first.done;
    expect(first.state.found).toEqual([]);
    const other = await sqs.create("other");
    const second = poll(other.url);
    await sqs.pass(0);
    await sqs.service.stop();
    await second.done;
    const late = poll(other.url);
    await late.done;
    expect([second.state.found, late.state.found]).toEqual([[], []]);
  });

  it("waits as long as the queue says where the request says nothing", async () => {
    const { url } = await sqs.create("q", { ReceiveMessageWaitTimeSeconds: "2" });
    const state = { over: false };
    void sqs.call("ReceiveMessage", { QueueUrl: url }).then(() => (state.over = true));
    await sqs.pass(1999);
    expect(state.over).toBe(false);
    await sqs.pass(1);
    expect(state.over).toBe(true);
  });
});
