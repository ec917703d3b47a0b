import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type * as sqs from "@aws-sdk/client-sqs";
import type * as client from "@aws-sdk/client-sns";
import { ManualClock } from "../../src/core/clock.ts";
import { AwsError } from "../../src/core/errors.ts";
import { systemIds } from "../../src/core/ids.ts";
import { rootPrincipal } from "../../src/core/principal.ts";
import { createSnsService, type SnsOptions, type SnsService } from "../../src/services/sns/service.ts";
import { createSqsService } from "../../src/services/sqs/service.ts";
import type { DocumentKey } from "../../src/storage/documents.ts";
import { openLocalStorage } from "../../src/storage/local/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink, type AggregatingMetricSink } from "../../src/telemetry/metric-sink.ts";
import { createAwsCaller } from "../../src/wire/aws-caller.ts";
import type { AwsCaller, CallerIdentity, InputOf, OutputOf } from "../../src/wire/operation.ts";
import { createPipeline, type PipelineParts } from "../../src/wire/pipeline.ts";
import { createModels } from "../../src/wire/schema/load.ts";
import { officialClient } from "../protocol/official-client.ts";

export const ACCOUNT = "111111111111";
export const REGION = "us-east-1";
export const BASE_URL = "http://127.0.0.1:4566";

/** A call of another service that SNS made. */
export interface OutgoingCall {
  readonly service: string;
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly by: CallerIdentity;
}

/** An HTTP request that SNS made. */
export interface Posted {
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Operations<Client> = keyof {
  [Name in keyof Client as Name extends `${infer Operation}Command` ? Operation : never]: true;
};

export interface CallOptions {
  readonly region?: string;
  readonly account?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SnsFixture {
  readonly clock: ManualClock;
  readonly storage: Storage;
  readonly service: SnsService;
  readonly metrics: AggregatingMetricSink;
  /** Calls that SNS made, in order; they went to real queues and to functions that take everything. */
  readonly calls: OutgoingCall[];
  readonly posted: Posted[];
  readonly lost: Parameters<SnsOptions["onLost"]>[0][];
  readonly problems: unknown[];
  /** Decides on each call before it is made: an error that is returned is thrown. */
  refuse: (call: OutgoingCall) => Error | undefined;
  /** Decides on each HTTP request. */
  answer: (posted: Posted) => Promise<void>;
  /** Sends a request as the official client writes it through the whole pipeline. Rejects with an AwsError of wire codes. */
  call<Name extends Operations<typeof client>>(
    operation: Name,
    input: InputOf<typeof client, Name>,
    options?: CallOptions,
  ): Promise<OutputOf<typeof client, Name>>;
  sqs<Name extends Operations<typeof sqs>>(
    operation: Name,
    input: InputOf<typeof sqs, Name>,
  ): Promise<OutputOf<typeof sqs, Name>>;
  topic(name: string, attributes?: Readonly<Record<string, string>>): Promise<string>;
  queue(
    name: string,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string; readonly arn: string }>;
  subscribe(
    topicArn: string,
    protocol: string,
    endpoint: string,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<string>;
  /** Waits until nothing that is due waits to be delivered. */
  quiet(): Promise<void>;
  /** Moves time on in steps, of a second where nothing else is said, and waits for all that is due by then. */
  pass(ms: number, stepMs?: number): Promise<void>;
  /** Takes all messages that are in a queue. */
  drain(url: string): Promise<readonly sqs.Message[]>;
  /** Ends without any care, as a killed process does, and starts anew over the same storage. */
  crash(): Promise<void>;
  close(): Promise<void>;
}

const models = createModels();
const clients = {
  sns: officialClient(models.get("sns"), "query"),
  sqs: officialClient(models.get("sqs"), "aws-json-1.0"),
};

/** Making an RSA key takes a while; the tests of a file share one. */
const SIGNING: DocumentKey = ["platform", "global", "sns-signing"];
let sharedIdentity: unknown;

/** SNS over real storage and real queues on a clock that the test moves, behind the wire that clients talk to. */
export async function createSnsFixture(): Promise<SnsFixture> {
  const clock = new ManualClock();
  const storage = await openLocalStorage({ folder: "", clock, ids: systemIds, ephemeral: true });
  if (sharedIdentity !== undefined) await storage.documents.commit([{ key: SIGNING, value: sharedIdentity }]);
  const metrics = createMetricSink({ clock });
  const problems: unknown[] = [];
  const calls: OutgoingCall[] = [];
  const queues = createSqsService({
    documents: storage.documents,
    queue: storage.queue,
    clock,
    ids: systemIds,
    metrics,
    onProblem: (problem) => problems.push(problem),
  });
  const functions = { name: "lambda", operations: { Invoke: () => ({ StatusCode: 202 }) } };
  const parts: PipelineParts = {
    models,
    services: [queues.definition, functions],
    ids: systemIds,
    clock,
    authorise: () => {},
    onInternalError: (problem) => problems.push(problem),
  };
  const within = createAwsCaller({ ...parts, baseUrl: () => BASE_URL });
  const caller: AwsCaller = {
    async call(service, operation, input, by) {
      const call = { service, operation, input: input as OutgoingCall["input"], by };
      calls.push(call);
      const refusal = fixture.refuse(call);
      if (refusal !== undefined) throw refusal;
      return within.call(service, operation, input, by);
    },
  };
  const create = (): SnsService =>
    createSnsService({
      documents: storage.documents,
      queue: storage.queue,
      clock,
      ids: systemIds,
      caller,
      url: () => BASE_URL,
      metrics,
      onLost: (lost) => fixture.lost.push(lost),
      onError: (problem) => problems.push(problem),
      load: () => 0,
      post: async (endpoint, headers, body) => {
        const posted = { endpoint, headers, body };
        fixture.posted.push(posted);
        await fixture.answer(posted);
      },
    });
  let service = create();
  service.start();

  async function send(
    name: "sns" | "sqs",
    operation: string,
    input: object,
    options: CallOptions = {},
  ): Promise<never> {
    const { region = REGION, account = ACCOUNT, headers = {} } = options;
    const model = models.get(name).operations.get(operation);
    if (model === undefined) throw new Error(`there is no ${operation}`);
    const request = await clients[name].request(model, input);
    const response = await createPipeline({
      ...parts,
      services: [service, queues.definition],
      authenticate: ({ body }) => ({
        principal: rootPrincipal(account),
        region,
        service: name,
        body,
        trailers: {},
      }),
    }).handle({
      ...request,
      headers: {
        ...request.headers,
        ...headers,
        authorization: `AWS4-HMAC-SHA256 Credential=x/20260101/${region}/${name}/aws4_request`,
      },
      remoteAddress: "127.0.0.1",
      baseUrl: BASE_URL,
      signal: new AbortController().signal,
    });
    if (response.status >= 300) throw errorOf(response.status, response.body);
    return (await clients[name].read(model, response)) as never;
  }

  const isDue = (): boolean =>
    storage.queue.queues([]).some((queue) => {
      if (!/^sns-(?:publish|delivery|lane|cleanup)$/.test(queue[2])) return false;
      const { visible, leased } = storage.queue.depth(queue);
      return visible + leased > 0;
    });
  const quiet = async (): Promise<void> => {
    for (let left = 10_000; left > 0; left--) {
      // Enough turns for a commit, and for what follows from it.
      for (let turn = 0; turn < 4; turn++) await nextTurn();
      if (!isDue()) return;
      await sleep(1);
    }
    throw new Error("deliveries do not come to an end");
  };

  const fixture: SnsFixture = {
    clock,
    storage,
    get service() {
      return service;
    },
    metrics,
    calls,
    posted: [],
    lost: [],
    problems,
    refuse: () => undefined,
    answer: () => Promise.resolve(),
    call: (operation, input, options) => send("sns", operation, input as object, options),
    sqs: (operation, input) => send("sqs", operation, input as object),
    async topic(name, attributes = {}) {
      const given = name.endsWith(".fifo") ? { FifoTopic: "true", ...attributes } : attributes;
      const { TopicArn = "" } = await fixture.call("CreateTopic", { Name: name, Attributes: given });
      return TopicArn;
    },
    async queue(name, attributes = {}) {
      const given = name.endsWith(".fifo") ? { FifoQueue: "true", ...attributes } : attributes;
      const { QueueUrl = "" } = await fixture.sqs("CreateQueue", { QueueName: name, Attributes: given });
      return { url: QueueUrl, arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}` };
    },
    async subscribe(TopicArn, Protocol, Endpoint, Attributes = {}) {
      const { SubscriptionArn = "" } = await fixture.call("Subscribe", {
        TopicArn,
        Protocol,
        Endpoint,
        Attributes,
        ReturnSubscriptionArn: true,
      });
      return SubscriptionArn;
    },
    quiet,
    async pass(ms, stepMs = 1000) {
      await quiet();
      for (let left = ms; left > 0; left -= stepMs) {
        clock.advance(Math.min(stepMs, left));
        await quiet();
      }
    },
    async drain(url) {
      const found: sqs.Message[] = [];
      for (;;) {
        const { Messages = [] } = await fixture.sqs("ReceiveMessage", {
          QueueUrl: url,
          MaxNumberOfMessages: 10,
          AttributeNames: ["All"],
          MessageAttributeNames: ["All"],
        });
        if (Messages.length === 0) return found;
        found.push(...Messages);
        for (const { ReceiptHandle } of Messages)
          await fixture.sqs("DeleteMessage", { QueueUrl: url, ReceiptHandle });
      }
    },
    async crash() {
      await service.stop(0);
      service = create();
      service.start();
      // The first look at what was left behind.
      clock.advance(0);
    },
    async close() {
      await service.stop(1000);
      sharedIdentity ??= storage.documents.get(SIGNING)?.value;
      await queues.stop();
      metrics.close();
      await storage.close();
      // What goes wrong where nobody is answered must not go by unseen.
      if (problems.length > 0) throw problems[0];
    },
  };
  return fixture;
}

function errorOf(status: number, body: unknown): Error {
  if (typeof body !== "string" || !body.startsWith("<")) return new Error(`${status}: no XML`);
  const text = (name: string): string =>
    (new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(body)?.[1] ?? "")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&quot;", '"')
      .replaceAll("&apos;", "'")
      .replaceAll("&#x27;", "'")
      .replaceAll("&#xA;", "\n")
      .replaceAll("&amp;", "&");
  return new AwsError(text("Code"), text("Message"), { status });
}
