import { snsErrors } from "../errors.ts";
import { isMembers, requireJsonObject } from "../json.ts";
import { LIMITS } from "../limits.ts";

/**
 * Checks the outline of a data protection policy, which is kept and shown. Messages are not searched for what it names.
 * @throws AwsError InvalidParameter
 */
export function requireDataProtectionPolicy(text: string): string {
  if (text === "") return text;
  if (Buffer.byteLength(text) > LIMITS.policyBytes)
    throw snsErrors.parameter("DataProtectionPolicy", "policy is too long");
  const policy = requireJsonObject(text, "DataProtectionPolicy");
  const { Name: name, Version: version, Statement: statements } = policy;
  if (typeof name !== "string" || version !== "2021-06-01")
    throw snsErrors.parameter("DataProtectionPolicy", "Name and Version 2021-06-01 are required");
  if (!Array.isArray(statements) || statements.length === 0 || !statements.every(isStatement))
    throw snsErrors.parameter(
      "DataProtectionPolicy",
      "each statement needs DataDirection, Principal, DataIdentifier and Operation",
    );
  return text;
}

function isStatement(statement: unknown): boolean {
  if (!isMembers(statement)) return false;
  const {
    DataDirection: direction,
    Principal: principals,
    DataIdentifier: identifiers,
    Operation,
  } = statement;
  return (
    (direction === "Inbound" || direction === "Outbound") &&
    Array.isArray(principals) &&
    Array.isArray(identifiers) &&
    isMembers(Operation)
  );
}
