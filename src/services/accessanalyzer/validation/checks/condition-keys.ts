import { hasKey, type ConditionView, type PolicyView, type StatementView } from "../../document/policy.ts";
import { securityWarnings, warnings } from "../advice.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

/** Which operators fit a type of key, and how AWS calls them. */
const OPERATOR_TYPES: Readonly<Record<string, { readonly name: string; readonly fits: RegExp }>> = {
  // ARNs are often in keys that are strings, and AWS compares them.
  String: { name: "String", fits: /^(?:string|arn|binary)/ },
  ARN: { name: "ARN", fits: /^(?:arn|string)/ },
  Bool: { name: "Bool", fits: /^bool/ },
  Numeric: { name: "Numeric", fits: /^numeric/ },
  Date: { name: "Date", fits: /^(?:date|numeric)/ },
  IPAddress: { name: "IP Address", fits: /^(?:not)?ipaddress/ },
};

/** Callers choose what these say. */
const SPOOFED: ReadonlySet<string> = new Set(["aws:referer", "aws:useragent"]);

/** Keys that AWS does not have, operators that do not fit their type, and keys that want another beside them. */
export function checkConditionKey(
  condition: ConditionView,
  statement: StatementView,
  { use }: PolicyView,
  { reference, report }: CheckContext,
): void {
  const { key, member } = condition;
  if (!/^[^:\s]+:\S/.test(key)) {
    report(errors.conditionKeyFormat(), member.key);
    return;
  }
  const folded = key.toLowerCase();
  if (folded === "aws:arn") {
    report(errors.unsupportedGlobalKey(), member.key);
    return;
  }
  if (reference.wantsTagKey(key)) {
    report(errors.missingTagKey(key.endsWith("/") ? key : `${key}/`), member.key);
    return;
  }
  const facts = reference.keyFacts(key);
  if (facts.kind === "known") checkType(condition, statement, facts.type, report);
  else if (facts.kind === "unknown service") report(errors.service(serviceOf(key)), member.key);
  else if (facts.kind === "unknown key")
    report(
      folded.startsWith("aws:")
        ? errors.globalConditionKey(key)
        : errors.serviceConditionKey(key, serviceOf(key)),
      member.key,
    );
  if (SPOOFED.has(folded) && statement.effect === "Allow" && use.type !== "SERVICE_CONTROL_POLICY")
    report(securityWarnings.untrustworthyKey(key), member.key);
  checkCompany(condition, statement, report);
}

function serviceOf(key: string): string {
  return key.slice(0, key.indexOf(":"));
}

function checkType(
  { key, operator, base, qualifier, member, operatorPlace }: ConditionView,
  { effect }: StatementView,
  type: string,
  report: CheckContext["report"],
): void {
  if (base === "null") return;
  const many = type.startsWith("ArrayOf");
  if (many && qualifier === "") report(errors.missingQualifier(key), member.key);
  if (!many && qualifier === "forallvalues" && effect === "Allow")
    report(securityWarnings.forAllValues(key), member.key);
  const single = many ? type.slice("ArrayOf".length) : type;
  const wanted = OPERATOR_TYPES[single];
  if (wanted === undefined) return;
  if (!wanted.fits.test(base)) report(warnings.typeMismatch(wanted.name, operator, key), operatorPlace.key);
  else if (single === "ARN" && base === "stringlike" && effect === "Allow")
    report(securityWarnings.stringLikeOnArn(operator, key), operatorPlace.key);
}

/** Keys that tell little without another one. */
function checkCompany(
  { key, base, member }: ConditionView,
  statement: StatementView,
  report: CheckContext["report"],
): void {
  const folded = key.toLowerCase();
  if (
    folded === "aws:vpcsourceip" &&
    !hasKey(statement, "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn")
  )
    report(securityWarnings.pairedKeys(key, "aws:SourceVpc"), member.key);
  if (
    folded === "dynamodb:attributes" &&
    statement.effect === "Allow" &&
    !hasKey(statement, "dynamodb:select")
  )
    report(securityWarnings.dynamoAttributes(), member.key);
  if (folded === "s3:prefix" && base !== "null") {
    const negated = base.includes("not");
    if (negated === (statement.effect === "Allow")) report(securityWarnings.s3Prefix(), member.key);
  }
}
