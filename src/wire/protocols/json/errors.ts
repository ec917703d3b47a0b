import type { AwsError } from "#core/errors";
import type { ServiceModel, StructureShape } from "../../schema/model.ts";
import { queryCodes } from "../query-codes.ts";

/** An error as the JSON and CBOR protocols name it. */
export interface NamedError {
  /** The shape's name where the service's schema knows the error, else the error's own code. */
  readonly name: string;
  /** The name with its namespace, such as `com.amazonaws.sqs#QueueDoesNotExist`. */
  readonly type: string;
  readonly shape: StructureShape | undefined;
  readonly status: number;
  /** The error's members with its message under the name that the shape gives it. */
  readonly members: Record<string, unknown>;
}

export function nameError(service: ServiceModel | undefined, error: AwsError): NamedError {
  const shape = service?.errors.get(error.code);
  const members: Record<string, unknown> = { ...error.members };
  const key = messageKey(shape);
  if (error.message !== "") members[key] ??= error.message;
  const name = shape?.name ?? error.code;
  return {
    name,
    type: `${namespaceOf(name, shape === undefined ? undefined : service)}#${name}`,
    shape,
    status: shape?.traits.httpError ?? error.status,
    members,
  };
}

/** Errors of AWS's request framework have its namespaces (recorded of cloudwatch's CBOR), others their service's. */
function namespaceOf(name: string, service: ServiceModel | undefined): string {
  if (service !== undefined) return `com.amazonaws.${service.name}`;
  return name === "ValidationException" ? "com.amazon.coral.validate" : "com.amazon.coral.service";
}

/** Services spell it `message` or `Message`; errors that no schema knows have `message`. */
function messageKey(shape: StructureShape | undefined): string {
  return shape?.members.has("Message") === true ? "Message" : "message";
}

/** `x-amzn-query-error` of services that once spoke query alone: clients of that time branch on the old code. */
export function queryErrorHeader(
  service: ServiceModel | undefined,
  error: AwsError,
  named: NamedError,
): string | undefined {
  if (service === undefined || !service.protocols.includes("query")) return undefined;
  const code = named.shape?.traits.awsQueryError?.[0] ?? queryCodes[named.name] ?? named.name;
  return `${code};${error.fault === "client" ? "Sender" : "Receiver"}`;
}
