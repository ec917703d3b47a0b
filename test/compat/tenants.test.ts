import {
  CreateEventSourceMappingCommand,
  type CreateFunctionRequest,
  CreateFunctionUrlConfigCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type InvokeCommandInput,
  InvokeWithResponseStreamCommand,
  type LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create, lambdaFor, logged, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";

const PER_TENANT = { TenancyConfig: { TenantIsolationMode: "PER_TENANT" } } as const;
const LOGGING: Partial<CreateFunctionRequest> = { LoggingConfig: { LogFormat: "JSON" } };
const CODE = `
  const seen = [];
  exports.handler = async (event, { tenantId }) => {
    seen.push(tenantId);
    console.log("for", tenantId);
    return seen;
  };`;

let platform: TestPlatform;
let lambda: LambdaClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = lambdaFor(platform.url);
  await create(lambda, "tenants", CODE, { ...PER_TENANT, ...LOGGING });
  await create(lambda, "plain", CODE);
});

afterAll(async () => {
  lambda.destroy();
  expect(await platform.stop()).toBe(0);
  expect(platform.errors()).toBe("");
});

async function invoke(
  FunctionName: string,
  TenantId?: string,
  input: Partial<InvokeCommandInput> = {},
): Promise<unknown> {
  const response = await lambda.send(new InvokeCommand({ FunctionName, TenantId, ...input }));
  const text = Buffer.from(response.Payload ?? []).toString();
  return text === "" ? response.StatusCode : (JSON.parse(text) as unknown);
}

describe("a function with a tenancy configuration", () => {
  it("shows it, for good", async () => {
    const configuration = new GetFunctionConfigurationCommand({ FunctionName: "tenants" });
    expect(await lambda.send(configuration)).toMatchObject(PER_TENANT);
    await lambda.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: "tenants", Description: "new" }),
    );
    await until(async () =>
      expect(await lambda.send(configuration)).toMatchObject({
        ...PER_TENANT,
        LastUpdateStatus: "Successful",
      }),
    );
    const plain = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: "plain" }));
    expect(plain.TenancyConfig).toBeUndefined();
  });

  it("serves each tenant by environments of its own", async () => {
    expect(await invoke("tenants", "blue")).toEqual(["blue"]);
    expect(await invoke("tenants", "green")).toEqual(["green"]);
    expect(await invoke("tenants", "blue")).toEqual(["blue", "blue"]);
    const { EventStream = [] } = await lambda.send(
      new InvokeWithResponseStreamCommand({ FunctionName: "tenants", TenantId: "green" }),
    );
    const parts: string[] = [];
    for await (const { PayloadChunk } of EventStream)
      parts.push(Buffer.from(PayloadChunk?.Payload ?? []).toString());
    expect(parts.join("")).toBe('["green","green"]');
  });

  it("takes events for later, each for its tenant", async () => {
    expect(await invoke("tenants", "event", { InvocationType: "Event" })).toBe(202);
    await until(async () => {
      const lines = (await logged(platform.url, "tenants")).map(
        (line) => JSON.parse(line) as { tenantId?: string; message?: string },
      );
      expect(lines).toContainEqual(expect.objectContaining({ tenantId: "event", message: "for event" }));
    });
  });

  it("demands a tenant, and others refuse one", async () => {
    const required = {
      name: "InvalidParameterValueException",
      message:
        "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.",
    };
    await expect(invoke("tenants")).rejects.toMatchObject(required);
    await expect(invoke("tenants", undefined, { InvocationType: "Event" })).rejects.toMatchObject(required);
    await expect(
      lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: "tenants" })),
    ).rejects.toMatchObject(required);
    expect(await invoke("tenants", "blue", { InvocationType: "DryRun" })).toBe(204);
    await expect(invoke("plain", "blue")).rejects.toMatchObject({ name: "InvalidParameterValueException" });
    await expect(invoke("tenants", "no/tenant?")).rejects.toMatchObject({
      message: expect.stringContaining("Member must satisfy regular expression pattern") as string,
    });
  });

  it("has neither provisioned concurrency nor SnapStart, URL or event source", async () => {
    await lambda.send(new PublishVersionCommand({ FunctionName: "tenants" }));
    const provisioned = { FunctionName: "tenants", Qualifier: "1", ProvisionedConcurrentExecutions: 1 };
    await expect(lambda.send(new PutProvisionedConcurrencyConfigCommand(provisioned))).rejects.toMatchObject({
      name: "InvalidParameterValueException",
    });
    const refused = {
      name: "InvalidParameterValueException",
      message: expect.stringContaining("tenancy configuration") as string,
    };
    const url = { FunctionName: "tenants", AuthType: "NONE" } as const;
    await expect(lambda.send(new CreateFunctionUrlConfigCommand(url))).rejects.toMatchObject(refused);
    const mapping = {
      FunctionName: "tenants",
      EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:queue",
    };
    await expect(lambda.send(new CreateEventSourceMappingCommand(mapping))).rejects.toMatchObject(refused);
    await expect(
      create(lambda, "both", CODE, {
        ...PER_TENANT,
        Runtime: "python3.12",
        SnapStart: { ApplyOn: "PublishedVersions" },
      }),
    ).rejects.toMatchObject({ name: "InvalidParameterValueException" });
  });
});
