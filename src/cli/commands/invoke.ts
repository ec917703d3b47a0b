import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import type { GetFunctionConfigurationRequest, LambdaClient } from "@aws-sdk/client-lambda";
import { OperatorError } from "#core/errors";
import { type CliHost, type Command, exit } from "../command.ts";
import { lambdaClient } from "../aws.ts";
import { clientFlags, clientOptions, text } from "../options.ts";

export const invoke: Command = {
  name: "invoke",
  summary: "Invoke a function and print its response",
  arguments: [{ name: "<function>", description: "name, partial ARN or ARN" }],
  options: [
    ...clientOptions,
    {
      flags: "-p, --payload <json>",
      description: "the event: JSON, @file, or - for standard input (default {})",
    },
    { flags: "-q, --qualifier <version>", description: "version or alias" },
    { flags: "--tenant-id <id>", description: "whom it is for, where the function isolates tenants" },
    { flags: "--async", description: "queue the event and do not wait (InvocationType Event)" },
    { flags: "--tail", description: "print the end of the log too" },
    { flags: "--json", description: "print status, error, version, log and payload as one JSON object" },
  ],
  examples: [
    ["with an event", `thaw invoke process-order --payload '{"order_id": 7}'`],
    ["with an event from a file, and its log", "thaw invoke process-order --payload @event.json --tail"],
  ],
  async run(input, host) {
    const [name = ""] = input.arguments;
    const client = await lambdaClient(host.loadClientConfig(clientFlags(input)));
    const { InvokeCommand, ResourceConflictException } = await import("@aws-sdk/client-lambda");
    const qualifier = text(input, "qualifier");
    const target = { FunctionName: name, ...(qualifier === undefined ? {} : { Qualifier: qualifier }) };
    const request = new InvokeCommand({
      ...target,
      TenantId: text(input, "tenantId"),
      Payload: await readPayload(text(input, "payload") ?? "{}"),
      InvocationType: input.options["async"] ? "Event" : "RequestResponse",
      LogType: input.options["tail"] ? "Tail" : "None",
    });
    const response = await client.send(request).catch(async (error: unknown) => {
      // Lambda tells the function's state alone; why it is in it stands in the configuration.
      if (error instanceof ResourceConflictException) await tellReason(client, target, host);
      throw error;
    });
    const payload = Buffer.from(response.Payload ?? []).toString("utf8");
    const log =
      response.LogResult === undefined ? undefined : Buffer.from(response.LogResult, "base64").toString();
    const { out } = host;
    if (input.options["json"])
      out.line(
        JSON.stringify({
          status: response.StatusCode,
          functionError: response.FunctionError,
          executedVersion: response.ExecutedVersion,
          log,
          payload,
        }),
      );
    else {
      if (log !== undefined) out.error(log.trimEnd());
      if (payload !== "") out.line(payload);
    }
    return response.FunctionError === undefined ? exit.ok : exit.functionError;
  },
};

async function tellReason(
  client: LambdaClient,
  target: GetFunctionConfigurationRequest,
  { out }: CliHost,
): Promise<void> {
  const { GetFunctionConfigurationCommand } = await import("@aws-sdk/client-lambda");
  const { State, StateReason } = await client.send(new GetFunctionConfigurationCommand(target));
  if (StateReason !== undefined) out.error(`thaw: ${target.FunctionName} is ${State}: ${StateReason}`);
}

async function readPayload(source: string): Promise<Uint8Array> {
  try {
    if (source === "-") return await buffer(process.stdin);
    if (source.startsWith("@")) return await readFile(source.slice(1));
  } catch (error) {
    throw new OperatorError(`--payload: ${(error as Error).message}`, exit.usage);
  }
  return Buffer.from(source);
}
