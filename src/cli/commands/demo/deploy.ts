import type { LambdaClient, Runtime } from "@aws-sdk/client-lambda";
import type { Example } from "./examples.ts";

export interface Deployment {
  readonly runtime: string;
  readonly role: string;
  /** A zip archive. */
  readonly code: Buffer;
  /** 128 unless given. */
  readonly memoryMb?: number;
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** ARNs of layer versions. */
  readonly layers?: readonly string[];
}

/** Creates the function, or brings the one that is there up to date, and waits until it is ready. */
export async function deploy(
  client: LambdaClient,
  example: Example,
  { runtime, role, code, memoryMb = 128, variables, layers = [] }: Deployment,
): Promise<"created" | "updated"> {
  const sdk = await import("@aws-sdk/client-lambda");
  const settings = {
    FunctionName: example.name,
    Runtime: runtime as Runtime,
    Handler: example.handler,
    Role: role,
    Description: example.about,
    Timeout: example.timeout ?? 3,
    MemorySize: memoryMb,
    Layers: [...layers],
    ...(variables === undefined ? {} : { Environment: { Variables: { ...variables } } }),
  };
  // Short delays: the official waiters' default of a second is meant for a service far away.
  const waiter = { client, maxWaitTime: 60, minDelay: 0.02, maxDelay: 0.2 };
  const target = { FunctionName: example.name };
  try {
    await client.send(new sdk.CreateFunctionCommand({ ...settings, Code: { ZipFile: code } }));
    await sdk.waitUntilFunctionActiveV2(waiter, target);
    return "created";
  } catch (error) {
    if (!(error instanceof sdk.ResourceConflictException)) throw error;
  }
  await sdk.waitUntilFunctionActiveV2(waiter, target);
  await client.send(new sdk.UpdateFunctionConfigurationCommand(settings));
  await sdk.waitUntilFunctionUpdatedV2(waiter, target);
  await client.send(new sdk.UpdateFunctionCodeCommand({ ...target, ZipFile: code }));
  await sdk.waitUntilFunctionUpdatedV2(waiter, target);
  return "updated";
}
