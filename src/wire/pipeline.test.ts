import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { systemIds } from "#core/ids";
import { rootPrincipal } from "#core/principal";
import { createAwsCaller } from "./aws-caller.ts";
import type { ServiceDefinition } from "./operation.ts";
import { createPipeline, type IncomingRequest, type PipelineOptions } from "./pipeline.ts";
import { createModels } from "./schema/load.ts";

const models = createModels();
const principal = rootPrincipal("123456789012");

function optionsFor(
  services: readonly ServiceDefinition[],
  more: Partial<PipelineOptions> = {},
): PipelineOptions {
  return {
    models,
    services,
    ids: systemIds,
    clock: new ManualClock(),
    authorise: () => {},
    onInternalError: (error) => {
      throw error;
    },
    authenticate: ({ body }) => ({ principal, region: "eu-west-1", service: "lambda", body, trailers: {} }),
    ...more,
  };
}

function request(partial: Partial<IncomingRequest>): IncomingRequest {
  return {
    method: "GET",
    path: "/",
    query: "",
    headers: {},
    body: Buffer.alloc(0),
    remoteAddress: "127.0.0.1",
    baseUrl: "http://127.0.0.1:4566",
    signal: AbortSignal.abort(),
    ...partial,
  };
}

const getFunction = request({ path: "/2015-03-31/functions/hello", query: "Qualifier=1" });

describe("the pipeline", () => {
  it("hands input and context to the handler and its output to the client", async () => {
    const seen: unknown[] = [];
    const { handle } = createPipeline(
      optionsFor([
        {
          name: "lambda",
          operations: {
            GetFunction: (input: unknown, call: { account: string; region: string }) => {
              seen.push(input, call.account, call.region);
              return { Tags: { a: "b" } };
            },
          },
        },
      ]),
    );
    const response = await handle(getFunction);
    expect(seen).toEqual([{ FunctionName: "hello", Qualifier: "1" }, "123456789012", "eu-west-1"]);
    expect(response).toMatchObject({ status: 200, body: '{"Tags":{"a":"b"}}' });
    expect(response.headers["x-amzn-requestid"]).toMatch(/^[\da-f-]{36}$/);
  });

  it("tells of every answer, also of refusals", async () => {
    const answers: unknown[] = [];
    const { handle } = createPipeline(
      optionsFor([{ name: "lambda", operations: { GetFunction: () => ({}) } }], {
        onAnswer: ({ method }, { service, operation, requestId }, status, durationMs) =>
          answers.push({ method, service, operation, status, durationMs, requestId }),
      }),
    );
    const ids = [];
    for (const asked of [getFunction, request({ path: "/nonsense" })])
      ids.push((await handle(asked)).headers["x-amzn-requestid"]);
    const common = { method: "GET", service: "lambda", durationMs: 0 };
    expect(answers).toEqual([
      { ...common, operation: "GetFunction", status: 200, requestId: ids[0] },
      { ...common, operation: undefined, status: 404, requestId: ids[1] },
    ]);
  });

  it("tells a service of requests that did not come to its handlers", async () => {
    const refusals: unknown[] = [];
    const services: ServiceDefinition[] = [
      {
        name: "lambda",
        operations: { GetFunction: () => Promise.reject(new AwsError("X", "x", { status: 409 })) },
        onRefusal: (refusal) => refusals.push(refusal),
      },
    ];
    const denied = () => {
      throw new AwsError("AccessDeniedException", "no", { status: 403 });
    };
    await createPipeline(optionsFor(services)).handle(getFunction);
    await createPipeline(optionsFor(services)).handle(request({ path: "/nonsense" }));
    expect(refusals).toEqual([]);
    await createPipeline(optionsFor(services, { authorise: denied })).handle(getFunction);
    await createPipeline(optionsFor(services, { authenticate: denied })).handle(getFunction);
    const refusal = { operation: "GetFunction", path: getFunction.path, status: 403, durationMs: 0 };
    expect(refusals).toEqual([refusal, refusal]);
  });

  it("names and times its steps", async () => {
    const steps: string[] = [];
    const { handle } = createPipeline(
      optionsFor([{ name: "lambda", operations: { GetFunction: async () => ({}) } }], {
        onStep: (step, _, { operation }) => steps.push(`${step} ${operation}`),
      }),
    );
    await handle(getFunction);
    expect(steps.map((step) => step.split(" ")[0])).toEqual([
      "route",
      "authenticate",
      "deserialise",
      "validate",
      "authorise",
      "handle",
      "serialise",
    ]);
  });

  it("answers an operation without a handler with its name", async () => {
    const { handle } = createPipeline(optionsFor([{ name: "lambda", operations: {} }]));
    const response = await handle(getFunction);
    expect(response.status).toBe(501);
    expect(response.body).toContain("lambda:GetFunction");
  });

  it("answers broken input in AWS's words", async () => {
    const { handle } = createPipeline(
      optionsFor([{ name: "lambda", operations: { GetFunction: () => ({}) } }]),
    );
    const response = await handle(request({ path: "/2015-03-31/functions/a%20b" }));
    expect(response).toMatchObject({ status: 400, headers: { "x-amzn-errortype": "ValidationException" } });
    expect(response.body).toContain(
      "1 validation error detected: Value 'a b' at 'functionName' failed to satisfy",
    );
  });

  it("logs an unknown error whole and answers the service's internal failure", async () => {
    const logged: unknown[] = [];
    const broken = new Error("a secret of the platform");
    const { handle } = createPipeline(
      optionsFor([{ name: "lambda", operations: { GetFunction: () => Promise.reject(broken) } }], {
        onInternalError: (error, label) => logged.push(error, label.operation),
      }),
    );
    const response = await handle(getFunction);
    expect(logged).toEqual([broken, "GetFunction"]);
    expect(response).toMatchObject({ status: 500, headers: { "x-amzn-errortype": "ServiceException" } });
    expect(response.body).not.toContain("secret");
  });

  it("logs why a service could not do its part, which it does not tell", async () => {
    const logged: unknown[] = [];
    const cause = new Error("spawn EAGAIN");
    const failing = (options: { status: number; cause?: unknown }) =>
      createPipeline(
        optionsFor(
          [
            {
              name: "lambda",
              operations: {
                GetFunction: () => Promise.reject(new AwsError("ServiceException", "not now", options)),
              },
            },
          ],
          { onInternalError: (error) => logged.push((error as Error).cause) },
        ),
      ).handle(getFunction);
    const response = await failing({ status: 500, cause });
    expect(response).toMatchObject({ status: 500, headers: { "x-amzn-errortype": "ServiceException" } });
    expect(response.body).not.toContain("EAGAIN");
    expect(logged).toEqual([cause]);
    await failing({ status: 500 });
    await failing({ status: 400, cause });
    expect(logged).toEqual([cause]);
  });

  it("lets no handler run that authorisation refuses", async () => {
    const { handle } = createPipeline(
      optionsFor([{ name: "lambda", operations: { GetFunction: () => expect.unreachable() } }], {
        authorise: async () => {
          throw new AwsError("AccessDeniedException", "no", { status: 403 });
        },
      }),
    );
    expect(await handle(getFunction)).toMatchObject({ status: 403 });
  });
});

describe("calls within the process", () => {
  const services = [{ name: "lambda", operations: { GetFunction: (input: object) => ({ ...input }) } }];
  const caller = createAwsCaller({ ...optionsFor(services), baseUrl: () => "http://127.0.0.1:4566" });
  const identity = { principal, region: "eu-west-1" };

  it("run the handler", async () => {
    expect(await caller.call("lambda", "GetFunction", { FunctionName: "f" }, identity)).toEqual({
      FunctionName: "f",
    });
  });

  it("are validated and refused as over HTTP", async () => {
    await expect(caller.call("lambda", "GetFunction", {}, identity)).rejects.toMatchObject({
      code: "ValidationException",
      message:
        "1 validation error detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null",
    });
    await expect(caller.call("lambda", "ListLayers", {}, identity)).rejects.toMatchObject({ status: 501 });
  });
});
