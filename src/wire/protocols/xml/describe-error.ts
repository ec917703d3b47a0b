import type { AwsError } from "#core/errors";
import type { ServiceModel, StructureShape } from "../../schema/model.ts";
import { element, escapeXml, writeMembers } from "./write.ts";
import { queryCodes } from "../query-codes.ts";

export interface ErrorDescription {
  /** The code as the protocol names it. */
  readonly code: string;
  readonly status: number;
  readonly message: string;
  /** The error's further members as XML. */
  readonly details: string;
}

/** Members that every XML error has in a place of its own. */
const COMMON = new Set(["type", "code", "message", "requestid", "hostid"]);

/**
 * An error as its XML forms need it. Query protocols name it by the awsQueryError trait (`NoSuchEntity` for
 * NoSuchEntityException), rest-xml by its shape. The schema's status wins over the error's own.
 */
export function describeError(
  service: ServiceModel | undefined,
  error: AwsError,
  naming: "query-code" | "shape-name",
): ErrorDescription {
  const shape = service?.errors.get(error.code);
  const queryError = naming === "query-code" ? shape?.traits.awsQueryError : undefined;
  const frameworkCode = naming === "query-code" && shape === undefined ? queryCodes[error.code] : undefined;
  return {
    code: queryError?.[0] ?? frameworkCode ?? error.code,
    status: queryError?.[1] ?? shape?.traits.httpError ?? error.status,
    message: error.message,
    details: writeDetails(shape, error.members),
  };
}

/** Members that the shape knows as it says, others (S3's BucketName, Key, Resource) as plain elements. */
function writeDetails(shape: StructureShape | undefined, members: Readonly<Record<string, unknown>>): string {
  const known = [...(shape?.members.values() ?? [])].filter(({ name }) => !isCommon(name));
  const other = Object.entries(members).filter(([name]) => !isCommon(name) && !shape?.members.has(name));
  const plain = other.flatMap(([name, value]) =>
    typeof value === "string" || typeof value === "number" || typeof value === "boolean"
      ? [element(name, escapeXml(String(value)))]
      : [],
  );
  return plain.join("") + writeMembers(known, members);
}

function isCommon(name: string): boolean {
  return COMMON.has(name.toLowerCase());
}
