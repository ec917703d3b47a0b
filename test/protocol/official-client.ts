import { createRequire } from "node:module";
import { Readable } from "node:stream";
import {
  AwsEc2QueryProtocol,
  AwsJson1_0Protocol,
  AwsJson1_1Protocol,
  AwsQueryProtocol,
  AwsRestJsonProtocol,
  AwsRestXmlProtocol,
  AwsSmithyRpcV2CborProtocol,
} from "@aws-sdk/core/protocols";
import { operation as operationSchema } from "@smithy/core/schema";
import { HttpResponse } from "@smithy/core/transport";
import type { WireRequest, WireResponse } from "#wire/protocols/protocol";
import type { OperationModel, ProtocolName, ServiceModel } from "#wire/schema/model";

const require = createRequire(import.meta.url);

/** The package of each service's official client. */
export const clients: Readonly<Record<string, string>> = {
  lambda: "lambda",
  iam: "iam",
  sts: "sts",
  logs: "cloudwatch-logs",
  cloudwatch: "cloudwatch",
  xray: "xray",
  sns: "sns",
  sqs: "sqs",
  s3: "s3",
  events: "eventbridge",
  cloudformation: "cloudformation",
  ec2: "ec2",
};

const protocolClasses = {
  "rest-json": AwsRestJsonProtocol,
  "rest-xml": AwsRestXmlProtocol,
  "aws-json-1.0": AwsJson1_0Protocol,
  "aws-json-1.1": AwsJson1_1Protocol,
  query: AwsQueryProtocol,
  "ec2-query": AwsEc2QueryProtocol,
  "rpcv2-cbor": AwsSmithyRpcV2CborProtocol,
} as const;

interface ClientProtocol {
  serializeRequest(schema: object, input: object, context: object): Promise<ClientRequest>;
  deserializeResponse(
    schema: object,
    context: object,
    response: HttpResponse,
  ): Promise<Record<string, unknown>>;
}

interface ClientRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

/** The official client's own serialisation, without its network and middleware. */
export interface OfficialClient {
  request(operation: OperationModel, input: object): Promise<WireRequest>;
  /** Resolves with the output, or rejects with the client's exception. */
  read(operation: OperationModel, response: WireResponse): Promise<Record<string, unknown>>;
}

export function officialClient(service: ServiceModel, protocolName: ProtocolName): OfficialClient {
  const module = require(`@aws-sdk/client-${clients[service.name]}`) as Record<string, unknown>;
  const { config } = makeClient(module);
  const own = config.protocol as ClientProtocol;
  const isOwn = service.protocols[0] === protocolName;
  const protocol = isOwn
    ? own
    : (new protocolClasses[protocolName]({
        ...config.protocolSettings,
        xmlNamespace: service.xmlNamespace ?? "",
      } as never) as unknown as ClientProtocol);
  const context = {
    ...config,
    endpoint: async () => ({ protocol: "http:", hostname: "localhost", port: 4566, path: "/" }),
  };
  (protocol as unknown as { setSerdeContext?: (context: object) => void }).setSerdeContext?.(context);
  const schemaOf = ({ name }: OperationModel): object => {
    const [, namespace, , traits, input, output] = module[`${name}$`] as never[];
    return operationSchema(namespace as never, name, traits as never, input as never, output as never);
  };
  return {
    async request(operation, input) {
      const request = await protocol.serializeRequest(schemaOf(operation), input, {
        ...context,
        __smithy_context: { service: service.targetPrefix, operation: operation.name },
      });
      return wireRequest(request, bucketPath(operation, input));
    },
    read: (operation, response) => readResponse(protocol, schemaOf(operation), context, response),
  };
}

interface ClientConfig {
  readonly protocol: unknown;
  readonly protocolSettings: Record<string, unknown>;
}

function makeClient(module: Record<string, unknown>): { config: ClientConfig } {
  const name = Object.keys(module).find((key) => key.endsWith("Client") && key !== "__Client");
  const Client = module[name ?? ""] as new (options: object) => { config: ClientConfig };
  return new Client({ region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
}

/** The client's endpoint rules put S3's bucket into the path, which is a middleware's work and not its protocol's. */
function bucketPath({ http }: OperationModel, input: object): string {
  if (http?.uri.startsWith("/{Bucket}") !== true) return "";
  return `/${(input as { Bucket: string }).Bucket}`;
}

function wireRequest(request: ClientRequest, prefix: string): WireRequest {
  const path = `${prefix}${request.path === "/" && prefix !== "" ? "" : request.path}`;
  return {
    method: request.method,
    path,
    query: queryString(request.query ?? {}),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value]),
    ),
    body: Buffer.from(request.body ?? ""),
  };
}

function queryString(query: NonNullable<ClientRequest["query"]>): string {
  return Object.entries(query)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? (value as readonly string[]) : [value as string | null]).map((one) =>
        one === null ? encodeURIComponent(name) : `${encodeURIComponent(name)}=${encodeURIComponent(one)}`,
      ),
    )
    .join("&");
}

async function readResponse(
  protocol: ClientProtocol,
  schema: object,
  context: object,
  response: WireResponse,
): Promise<Record<string, unknown>> {
  const body = response.body as Buffer | string | undefined;
  const { $metadata: _, ...output } = await protocol.deserializeResponse(
    schema,
    context,
    new HttpResponse({
      statusCode: response.status,
      headers: response.headers,
      body: Readable.from(body === undefined || body.length === 0 ? [] : [Buffer.from(body)]),
    }),
  );
  for (const [name, value] of Object.entries(output))
    if (hasByteArray(value)) output[name] = await value.transformToByteArray();
    else if (value instanceof Readable) output[name] = Buffer.concat(await value.toArray());
  return output;
}

function hasByteArray(value: unknown): value is { transformToByteArray(): Promise<Uint8Array> } {
  return typeof value === "object" && value !== null && "transformToByteArray" in value;
}
