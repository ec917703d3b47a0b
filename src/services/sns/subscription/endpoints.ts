import { createHash } from "node:crypto";
import { parseArn } from "#core/arn";
import { isFifo } from "../arns.ts";
import { snsErrors } from "../errors.ts";
import type { Protocol } from "../store.ts";

const PROTOCOLS: ReadonlySet<string> = new Set([
  "http",
  "https",
  "email",
  "email-json",
  "sms",
  "sqs",
  "application",
  "lambda",
] satisfies Protocol[]);

/** @throws AwsError InvalidParameter (recorded: test_subscribe_with_invalid_protocol) */
export function requireProtocol(protocol: string): Protocol {
  if (protocol === "firehose") throw snsErrors.notBuilt("Protocol firehose: Amazon Data Firehose");
  if (!PROTOCOLS.has(protocol))
    throw snsErrors.parameter(`Amazon SNS does not support this protocol string: ${protocol}`);
  return protocol as Protocol;
}

/** Checks that an endpoint is one of its protocol, and allowed to the topic. @throws AwsError InvalidParameter */
export function requireEndpoint(protocol: Protocol, endpoint: string, topicName: string): string {
  if (endpoint === "") throw snsErrors.parameter("Endpoint");
  if (endpoint.length > 2048) throw snsErrors.parameter("Endpoint", "must be at most 2048 characters long");
  CHECKS[protocol](endpoint);
  if (!isFifo(topicName)) {
    if (protocol === "sqs" && isFifo(endpoint))
      throw snsErrors.parameter(
        "Invalid parameter: Endpoint",
        "FIFO SQS Queues can not be subscribed to standard SNS topics",
      );
  } else if (protocol !== "sqs")
    throw snsErrors.parameter("Invalid parameter: Endpoint", "Please use FIFO SQS queue");
  return endpoint;
}

const CHECKS: Readonly<Record<Protocol, (endpoint: string) => void>> = {
  http: (endpoint) => requireUrl(endpoint, "http:"),
  https: (endpoint) => requireUrl(endpoint, "https:"),
  email: requireEmail,
  "email-json": requireEmail,
  sms: requireSmsEndpoint,
  sqs: (endpoint) => requireArn(endpoint, "sqs", /^[\w-]{1,80}(?:\.fifo)?$/u, "SQS endpoint ARN"),
  lambda: (endpoint) =>
    requireArn(endpoint, "lambda", /^function:[\w-]{1,64}(?::[\w$-]{1,128})?$/u, "Lambda endpoint ARN"),
  application: (endpoint) =>
    requireArn(
      endpoint,
      "sns",
      /^endpoint\/\w+\/[\w.-]+\/[\w-]+$/u,
      "Application endpoint arn invalid:" + endpoint,
    ),
};

function requireUrl(endpoint: string, protocol: string): void {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.protocol !== protocol || !endpoint.startsWith(`${protocol}//`))
    throw snsErrors.parameter("Endpoint must match the specified protocol");
}

function requireEmail(endpoint: string): void {
  if (!/^[^\s@]+@[^\s@]+$/u.test(endpoint)) throw snsErrors.parameter("Email address");
}

/** Digits, with single dots, slashes or hyphens between them (recorded: test_subscribe_sms_obscure_phone_number). */
function requireSmsEndpoint(endpoint: string): void {
  if (!/^\+?\d+(?:[./-]\d+)*$/u.test(endpoint) || !isPhoneNumber(endpoint.replaceAll(/[./-]/gu, "")))
    throw snsErrors.invalid(`Invalid SMS endpoint: ${endpoint}`);
}

/** E.164. */
export function isPhoneNumber(number: string): boolean {
  return /^\+?[1-9]\d{1,14}$/u.test(number);
}

function requireArn(endpoint: string, service: string, resource: RegExp, what: string): void {
  const arn = parseArn(endpoint);
  if (arn?.service !== service || !resource.test(arn.resource)) throw snsErrors.parameter(what);
}

/** A key for an endpoint of any length. */
export function endpointHash(endpoint: string): string {
  return createHash("sha256").update(endpoint).digest("hex");
}
