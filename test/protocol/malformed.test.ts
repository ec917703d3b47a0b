// Whatever a client sends is answered with an error of the client's, in its protocol, without delay or crash.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { rootPrincipal } from "#core/principal";
import { createPipeline, type IncomingRequest } from "#wire/pipeline";
import type { WireResponse } from "#wire/protocols/protocol";
import { createModels } from "#wire/schema/load";
import type { ProtocolName, ServiceModel } from "#wire/schema/model";
import { valuesOf } from "./arbitraries.ts";
import { clients, officialClient } from "./official-client.ts";

const models = createModels();
const principal = rootPrincipal("000000000000");

/** Every operation answers what it was given nothing for; only the way to it is under test. */
const services = Object.keys(clients).map((name) => ({
  name,
  operations: Object.fromEntries(
    [...models.get(name).operations.keys()].map((operation) => [operation, () => ({})]),
  ),
}));

const { handle } = createPipeline({
  models,
  services,
  ids: systemIds,
  clock: systemClock,
  authorise: () => {},
  authenticate: ({ body }) => ({ principal, region: "us-east-1", service: "", body, trailers: {} }),
  onInternalError: (error) => {
    throw error;
  },
});

function send(service: ServiceModel, partial: Partial<IncomingRequest>): Promise<WireResponse> {
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service.signingName}/aws4_request, SignedHeaders=host, Signature=0`;
  return handle({
    method: "POST",
    path: "/",
    query: "",
    body: Buffer.alloc(0),
    remoteAddress: "127.0.0.1",
    baseUrl: "http://127.0.0.1:4566",
    signal: new AbortController().signal,
    ...partial,
    headers: { authorization, ...partial.headers },
  });
}

/** One operation of each protocol that reads a nested document. */
const subjects: readonly (readonly [ProtocolName, string, string])[] = [
  ["rest-json", "lambda", "CreateFunction"],
  ["rest-xml", "s3", "PutBucketLifecycleConfiguration"],
  ["aws-json-1.0", "sqs", "SendMessageBatch"],
  ["aws-json-1.1", "logs", "PutLogEvents"],
  ["query", "iam", "CreateRole"],
  ["ec2-query", "ec2", "CreateVpc"],
  ["rpcv2-cbor", "cloudwatch", "PutMetricData"],
];

function subject(name: ProtocolName, serviceName: string, operationName: string) {
  const service = models.get(serviceName);
  const operation = service.operations.get(operationName);
  if (operation === undefined) throw new Error(operationName);
  const client = officialClient(service, name);
  const values = valuesOf(operation.input, name);
  return { service, requests: values.map((input) => client.request(operation, input)) };
}

const runs = { numRuns: 60, seed: 20_260_102 };

describe.each(subjects)("%s", (...names) => {
  const { service, requests } = subject(...names);

  it("survives bodies that are cut off", async () => {
    await fc.assert(
      fc.asyncProperty(requests, fc.double({ min: 0, max: 1, noNaN: true }), async (pending, part) => {
        const request = await pending;
        const body = request.body as Buffer;
        const response = await send(service, {
          ...request,
          body: body.subarray(0, Math.floor(body.length * part)),
        });
        expect(response.status).toBeLessThan(500);
      }),
      runs,
    );
  });

  it("survives bytes that are changed, with broken UTF-8 among them", async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.array(
          fc.tuple(fc.nat(), fc.constantFrom(0x00, 0x80, 0xff, 0xc0, 0xfe, 0x22, 0x3c, 0x26, 0x7b, 0x9f)),
          {
            minLength: 1,
            maxLength: 5,
          },
        ),
        async (pending, changes) => {
          const request = await pending;
          const body = Buffer.from(request.body as Buffer);
          for (const [at, byte] of changes) if (body.length > 0) body[at % body.length] = byte;
          expect((await send(service, { ...request, body })).status).toBeLessThan(500);
        },
      ),
      runs,
    );
  });

  it("survives bodies of any bytes and content types", async () => {
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom("application/json", "text/xml", "application/x-www-form-urlencoded", "nonsense", ""),
        async (pending, bytes, contentType) => {
          const request = await pending;
          const headers = { ...request.headers, "content-type": contentType };
          expect(
            (await send(service, { ...request, headers, body: Buffer.from(bytes) })).status,
          ).toBeLessThan(500);
        },
      ),
      runs,
    );
  });

  it.each([
    ["lists", "[".repeat(200_000)],
    ["closed lists", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["objects", `${'{"Code":'.repeat(100_000)}1${"}".repeat(100_000)}`],
    ["elements", "<Rule>".repeat(100_000)],
    ["closed elements", `${"<Rule>".repeat(100_000)}${"</Rule>".repeat(100_000)}`],
    ["entities", `<!DOCTYPE a [<!ENTITY b "b">]><a>${"&b;".repeat(10_000)}</a>`],
    ["CBOR lists", Buffer.alloc(200_000, 0x81)],
    ["CBOR maps", Buffer.from("a16161".repeat(50_000), "hex")],
    ["CBOR tags", Buffer.alloc(200_000, 0xc1)],
    ["a CBOR list of 2^60 elements", Buffer.from("9b1000000000000000", "hex")],
    ["parameters", `Action=CreateRole&Version=2010-05-08&${"Tags.member.999999999.Key=1&".repeat(10_000)}`],
    [
      "dotted parameters",
      `Action=CreateVpc&Version=2016-11-15&TagSpecification.1${".Tag.1".repeat(50_000)}=1`,
    ],
  ])("survives nested %s", async (_, body) => {
    const [pending] = fc.sample(requests, { numRuns: 1, seed: runs.seed });
    const request = await pending;
    if (request === undefined) throw new Error("no request");
    const response = await send(service, { ...request, body: Buffer.from(body) });
    expect(response.status).toBeLessThan(500);
  });
});

describe("wrong types in JSON", () => {
  const lambda = models.get("lambda");
  const create = (body: string): Promise<WireResponse> =>
    send(lambda, { path: "/2015-03-31/functions", body: Buffer.from(body) });

  it.each([
    ['{"MemorySize":"128"}', "STRING_VALUE can not be converted to an Integer"],
    ['{"MemorySize":1e999}', "NUMBER_VALUE can not be converted to an Integer"],
    ['{"MemorySize":2147483648}', "NUMBER_VALUE can not be converted to an Integer"],
    ['{"MemorySize":1.5}', "NUMBER_VALUE can not be converted to an Integer"],
    ['{"MemorySize":{}}', "Start of structure or map found where not expected."],
    ['{"FunctionName":1}', "NUMBER_VALUE can not be converted to a String"],
    ['{"FunctionName":true}', "TRUE_VALUE can not be converted to a String"],
    ['{"Publish":"true"}', "STRING_VALUE can not be converted to a Boolean"],
    ['{"Layers":"a"}', "Expected list or null"],
    ['{"Layers":{}}', "Start of structure or map found where not expected."],
    ['{"Code":[]}', "Start of list found where not expected"],
    ['{"Code":5}', "Expected null"],
    ['{"Code":{"ZipFile":"not base64!"}}', "STRING_VALUE can not be converted to a Blob"],
    ["[]", "Start of list found where not expected"],
  ])("answers %s with AWS's words", async (body, message) => {
    const response = await create(body);
    expect(response).toMatchObject({
      status: 400,
      headers: { "x-amzn-errortype": "SerializationException" },
    });
    expect(JSON.parse(response.body as string)).toEqual({ message });
  });

  it.each(["{", "nonsense", '{"a":1,}', '"', "{}{}", "\u0000", "NaN"])(
    "answers %s as no JSON at all",
    async (body) => {
      expect(await create(body)).toMatchObject({
        status: 400,
        headers: { "x-amzn-errortype": "SerializationException" },
      });
    },
  );

  it("takes a key named __proto__ for a key", async () => {
    const tags = models.get("lambda").operations.get("CreateFunction");
    expect(tags).toBeDefined();
    const response = await create('{"__proto__":{"FunctionName":"f"},"Tags":{"__proto__":"x"}}');
    expect(response.status).toBe(400);
    expect(Object.prototype).not.toHaveProperty("FunctionName");
  });
});

describe("broken addresses", () => {
  it.each([
    ["GET", "/2015-03-31/functions/%ZZ", ""],
    ["GET", "/2015-03-31/functions/%C3%28", ""],
    ["GET", "/2015-03-31/functions", "MaxItems=abc"],
    ["GET", "/2015-03-31/functions", "Marker=%E0%A4%A"],
    ["GET", "//", "&&==&"],
    ["PURGE", "/2015-03-31/functions", ""],
    ["POST", `/${"a/".repeat(20_000)}`, ""],
  ])("answers %s %s?%s with a client's error", async (method, path, query) => {
    const response = await send(models.get("lambda"), { method, path, query });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  });
});
