import { setImmediate as nextTurn } from "node:timers/promises";
import type * as client from "@aws-sdk/client-sqs";
import { ManualClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { rootPrincipal } from "../../src/core/principal.ts";
import { createSqsService, type SqsService } from "../../src/services/sqs/service.ts";
import { openLocalStorage } from "../../src/storage/local/open.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createMetricSink, type AggregatingMetricSink } from "../../src/telemetry/metric-sink.ts";
import { createAwsCaller } from "../../src/wire/aws-caller.ts";
import type { AwsCaller, InputOf, OutputOf } from "../../src/wire/operation.ts";
import { createPipeline, type Pipeline } from "../../src/wire/pipeline.ts";
import { createModels } from "../../src/wire/schema/load.ts";
import type { OperationModel } from "../../src/wire/schema/model.ts";
import { officialClient, type OfficialClient } from "../protocol/official-client.ts";

export const ACCOUNT = "111111111111";
export const REGION = "us-east-1";

/** The two protocols that SQS's clients speak: since 2023, and before. */
export type SqsProtocol = "aws-json-1.0" | "query";

type Operation = keyof {
  [Name in keyof typeof client as Name extends `${infer Operation}Command` ? Operation : never]: true;
};

export interface CallOptions {
  readonly protocol?: SqsProtocol;
  readonly account?: string;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an error's response said, as botocore tells it. */
export class WireError extends Error {
  readonly status: number;
  readonly error: Readonly<Record<string, string>>;
  constructor(status: number, error: Readonly<Record<string, string>>) {
    super(`${error["Code"]}: ${error["Message"]}`);
    this.status = status;
    this.error = error;
  }
}

export interface SqsFixture {
  readonly clock: ManualClock;
  readonly storage: Storage;
  readonly service: SqsService;
  readonly metrics: AggregatingMetricSink;
  readonly problems: unknown[];
  /** Calls operations as another service does. */
  readonly caller: AwsCaller;
  /** Sends a request as the official client writes it through the whole pipeline, and reads the answer as it does. */
  call<Name extends Operation>(
    operation: Name,
    input: InputOf<typeof client, Name>,
    options?: CallOptions,
  ): Promise<OutputOf<typeof client, Name>>;
  /** The same, while time passes for as long as there is no answer. */
  patiently<Name extends Operation>(
    operation: Name,
    input: InputOf<typeof client, Name>,
    options?: CallOptions,
  ): Promise<OutputOf<typeof client, Name>>;
  /** Makes a queue and returns its URL and ARN. */
  create(
    name: string,
    attributes?: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string; readonly arn: string }>;
  /** Lets time pass in steps, with all that it sets off. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const models = createModels();
const model = models.get("sqs");
const clients: Readonly<Record<SqsProtocol, OfficialClient>> = {
  "aws-json-1.0": officialClient(model, "aws-json-1.0"),
  query: officialClient(model, "query"),
};

/** SQS over real storage on a clock that the test moves, behind the wire that clients talk to. */
export async function createSqsFixture(): Promise<SqsFixture> {
  const clock = new ManualClock();
  const storage = await openLocalStorage({ folder: "", clock, ids: systemIds, ephemeral: true });
  return withStorage(storage, clock);
}

export function withStorage(storage: Storage, clock: ManualClock): SqsFixture {
  const metrics = createMetricSink({ clock });
  const problems: unknown[] = [];
  const service = createSqsService({
    documents: storage.documents,
    queue: storage.queue,
    clock,
    ids: systemIds,
    metrics,
    onProblem: (problem) => problems.push(problem),
  });
  service.start();
  const parts = {
    models,
    services: [service.definition],
    ids: systemIds,
    clock,
    authorise: () => {},
    onInternalError: (problem: unknown) => problems.push(problem),
  };
  const pipelineOf = (account: string): Pipeline =>
    createPipeline({
      ...parts,
      authenticate: ({ body }) => ({
        principal: rootPrincipal(account),
        region: REGION,
        service: "sqs",
        body,
        trailers: {},
      }),
    });
  const call: SqsFixture["call"] = async (operation, input, options = {}) => {
    const { protocol = "aws-json-1.0", account = ACCOUNT, headers = {} } = options;
    const named = modelOf(operation);
    const request = await clients[protocol].request(named, input as object);
    const response = await pipelineOf(account).handle({
      ...request,
      headers: { ...request.headers, ...headers },
      remoteAddress: "127.0.0.1",
      baseUrl: "http://127.0.0.1:4566",
      signal: options.signal ?? new AbortController().signal,
    });
    if (response.status >= 300)
      throw new WireError(response.status, errorOf(protocol, response.headers, textOf(response.body)));
    return (await clients[protocol].read(named, response)) as never;
  };
  const pass = async (ms: number): Promise<void> => {
    await settle();
    for (let left = ms; left > 0; left -= STEP_MS) {
      clock.advance(Math.min(STEP_MS, left));
      await settle();
    }
  };
  return {
    clock,
    storage,
    service,
    metrics,
    problems,
    caller: createAwsCaller({ ...parts, baseUrl: () => "http://127.0.0.1:4566" }),
    call,
    pass,
    async patiently(operation, input, options) {
      const state = { over: false };
      const outcome = call(operation, input, options).finally(() => (state.over = true));
      outcome.catch(() => {});
      await settle();
      while (!state.over) await pass(STEP_MS);
      return outcome;
    },
    async create(name, attributes = {}) {
      const { QueueUrl = "" } = await call("CreateQueue", { QueueName: name, Attributes: attributes });
      return { url: QueueUrl, arn: `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}` };
    },
    async close() {
      await service.stop();
      metrics.close();
      await storage.close();
    },
  };
}

const STEP_MS = 250;

/** Enough turns of the event loop for a commit, and for what follows from it. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await nextTurn();
}

function textOf(body: unknown): string {
  return Buffer.isBuffer(body) || typeof body === "string" ? body.toString() : "";
}

function modelOf(name: string): OperationModel {
  const operation = model.operations.get(name);
  if (operation === undefined) throw new Error(`SQS has no ${name}`);
  return operation;
}

function errorOf(
  protocol: SqsProtocol,
  headers: Readonly<Record<string, string>>,
  body: string,
): Readonly<Record<string, string>> {
  if (protocol === "query") {
    const text = (name: string): string =>
      (new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(body)?.[1] ?? "")
        .replaceAll("&lt;", "<")
        .replaceAll("&gt;", ">")
        .replaceAll("&quot;", '"')
        .replaceAll("&apos;", "'")
        .replaceAll("&amp;", "&");
    return { Code: text("Code"), Message: text("Message"), Type: text("Type") };
  }
  const parsed = JSON.parse(body) as { __type: string; message?: string };
  const [Code = "", Type = ""] = (headers["x-amzn-query-error"] ?? "").split(";");
  return {
    Code,
    Message: parsed.message ?? "",
    Type,
    QueryErrorCode: parsed.__type.slice(parsed.__type.indexOf("#") + 1),
  };
}
