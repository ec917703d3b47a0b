import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { WorkerLost } from "#core/worker-thread";
import { ensureBuilt } from "../../../test/support/built.ts";
import { protocols } from "../protocols/registry.ts";
import { createModels } from "../schema/load.ts";
import type { OperationModel, ProtocolName, ServiceModel } from "../schema/model.ts";
import { createLargeBodies, type LargeBodies, parsesBody } from "./large-bodies.ts";

const models = createModels();
const clock = new ManualClock();
let workerUrl: URL;
let largeBodies: LargeBodies;

beforeAll(async () => {
  workerUrl = pathToFileURL(join(await ensureBuilt(), "deserialise-worker.js"));
  largeBodies = createLargeBodies({ clock, workerUrl });
}, 120_000);
afterAll(() => largeBodies.close());

function operationOf(service: ServiceModel, name: string): OperationModel {
  const operation = service.operations.get(name);
  if (operation === undefined) throw new Error(`no ${name}`);
  return operation;
}

function requestOf(document: string | Buffer, path = "/2015-03-31/functions") {
  const body = Buffer.alloc(Buffer.byteLength(document));
  if (typeof document === "string") body.write(document);
  else document.copy(body);
  return { method: "POST", path, query: "", headers: {}, body };
}

async function outcome(read: () => unknown): Promise<unknown> {
  try {
    return { input: await read() };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const { code, message, status, members, headers } = error;
    return { code, message, status, members, headers };
  }
}

const base64 = fc.uint8Array({ maxLength: 9000 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const text = fc.string({ unit: "binary" });
/** Now and then a value of a type that does not belong there. */
function mostly<Value>(right: fc.Arbitrary<Value>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: fc.jsonValue() });
}
const names = fc.oneof({ weight: 5, arbitrary: text }, { weight: 1, arbitrary: fc.constant("__proto__") });
const attribute = fc.record({ DataType: mostly(text), BinaryValue: mostly(base64) });

const subjects: readonly (readonly [ProtocolName, string, string, fc.Arbitrary<unknown>])[] = [
  [
    "rest-json",
    "lambda",
    "CreateFunction",
    fc.record({
      FunctionName: mostly(text),
      Code: mostly(fc.record({ ZipFile: mostly(base64) })),
      Timeout: mostly(fc.integer({ min: -5, max: 2 ** 33 })),
      Environment: mostly(fc.record({ Variables: mostly(fc.dictionary(names, mostly(text))) })),
    }),
  ],
  [
    "aws-json-1.0",
    "sqs",
    "SendMessage",
    fc.record({
      MessageBody: mostly(text),
      MessageAttributes: mostly(fc.dictionary(names, mostly(attribute))),
    }),
  ],
  [
    "aws-json-1.0",
    "cloudwatch",
    "GetMetricStatistics",
    fc.record({ StartTime: mostly(fc.integer({ min: 0, max: 2e9 })), Statistics: mostly(fc.array(text)) }),
  ],
];

describe("large bodies", () => {
  it.each(subjects)(
    "%s: the worker answers what the protocol does (%s %s)",
    async (protocol, name, operationName, documents) => {
      const service = models.get(name);
      const operation = operationOf(service, operationName);
      await fc.assert(
        fc.asyncProperty(documents, fc.boolean(), async (document, truncated) => {
          const whole = JSON.stringify(document);
          const sent = truncated ? whole.slice(0, -1) : whole;
          const direct = await outcome(() =>
            protocols[protocol].deserialise(service, operation, requestOf(sent)),
          );
          const request = requestOf(sent);
          const besides = await outcome(() => largeBodies.deserialise(protocol, service, operation, request));
          expect(besides).toStrictEqual(direct);
          expect(request.body.length).toBe(0);
        }),
      );
    },
  );

  it("moves a large blob back as a Buffer of its own", async () => {
    const bytes = Buffer.alloc(3_000_000, "thaw");
    const service = models.get("lambda");
    const request = requestOf(JSON.stringify({ Code: { ZipFile: bytes.toString("base64") } }));
    const operation = operationOf(service, "CreateFunction");
    const input = await largeBodies.deserialise("rest-json", service, operation, request);
    const { ZipFile } = input["Code"] as { ZipFile: unknown };
    expect(Buffer.isBuffer(ZipFile) && ZipFile.equals(bytes)).toBe(true);
  });

  it("fails without harm where the worker cannot run", async () => {
    const service = models.get("lambda");
    const broken = createLargeBodies({ clock, workerUrl: new URL("./missing.js", workerUrl) });
    const operation = operationOf(service, "CreateFunction");
    await expect(broken.deserialise("rest-json", service, operation, requestOf("{}"))).rejects.toBeInstanceOf(
      WorkerLost,
    );
  });

  it("leaves bodies alone that are handed on as they came", () => {
    const lambda = models.get("lambda");
    expect(parsesBody(operationOf(lambda, "Invoke"))).toBe(false);
    expect(parsesBody(operationOf(lambda, "UpdateFunctionCode"))).toBe(true);
    expect(parsesBody(operationOf(models.get("logs"), "PutLogEvents"))).toBe(true);
    expect(parsesBody(operationOf(models.get("s3"), "PutObject"))).toBe(false);
  });
});
