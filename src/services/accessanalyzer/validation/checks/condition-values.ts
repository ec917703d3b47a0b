import { isText, textOf, type Place } from "../../document/place.ts";
import type { ConditionView } from "../../document/policy.ts";
import { isRegion } from "../../reference/regions.ts";
import { suggestions, warnings } from "../advice.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";
import { checkAddresses } from "./addresses.ts";

type Report = CheckContext["report"];

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ISO_DATE = /^\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)?)?$/;

/** Values that are not of the kind that their operator compares, or that their key has. */
export function checkValues(condition: ConditionView, report: Report): void {
  const { values, base, operator, member } = condition;
  const misfits = values.filter(({ node }) => !["string", "number", "boolean"].includes(node.kind));
  for (const misfit of misfits) report(errors.dataType("String"), misfit);
  if (misfits.length > 0) return;
  if (new Set(values.map(({ node }) => node.kind)).size > 1) report(errors.conditionDataType(), member);
  const isVariable = (place: Place): boolean => isText(place) && place.node.value.includes("${");
  const fixed = values.filter((value) => !isVariable(value));
  if (!/^(?:string|arn)/.test(base))
    for (const value of values) if (isVariable(value)) report(errors.variableForOperator(), value);
  if (base === "bool" || base === "null") checkBooleans(condition, fixed, report);
  else if (base.startsWith("numeric")) checkNumbers(condition, fixed, report);
  else if (base.startsWith("date")) checkDates(fixed, report);
  else if (base === "binaryequals") {
    for (const value of fixed) if (!BASE64.test(textOf(value))) report(warnings.notBase64(operator), value);
  } else if (base === "ipaddress" || base === "notipaddress") checkAddresses(condition, fixed, report);
  else if (base.startsWith("string") && !base.includes("like"))
    for (const value of fixed) if (/[*?]/.test(textOf(value))) report(warnings.wildcardWithoutLike(), value);
  checkKnownKeys(condition, fixed, report);
}

function checkBooleans(
  { operator, base, member, values }: ConditionView,
  fixed: readonly Place[],
  report: Report,
): void {
  for (const value of fixed)
    if (!/^(?:true|false)$/i.test(textOf(value))) report(warnings.notBoolean(operator), value);
  if (base === "bool" && values.length > 1) report(errors.multipleBoolean(), member);
}

function checkNumbers(
  { operator, base, key, member }: ConditionView,
  fixed: readonly Place[],
  report: Report,
): void {
  const wrong = fixed.filter((value) => !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(textOf(value)));
  for (const value of wrong) report(warnings.notNumber(operator), value);
  if (wrong.length > 0 || fixed.length < 2) return;
  if (base.startsWith("numericless")) report(suggestions.redundantNumber(operator, "greatest", key), member);
  if (base.startsWith("numericgreater")) report(suggestions.redundantNumber(operator, "least", key), member);
}

function checkDates(fixed: readonly Place[], report: Report): void {
  for (const value of fixed) {
    const text = textOf(value);
    if (/^\d{5,}$/.test(text)) report(warnings.dateValue(text), value);
    else if (!ISO_DATE.test(text) || Number.isNaN(Date.parse(text))) report(warnings.notDate(), value);
  }
}

/** Keys whose values AWS knows the form of. */
function checkKnownKeys({ key, base }: ConditionView, fixed: readonly Place[], report: Report): void {
  if (!base.startsWith("string")) return;
  const folded = key.toLowerCase();
  for (const value of fixed) {
    const text = textOf(value);
    if (/[*?]/.test(text)) continue;
    if (folded === "aws:requestedregion") {
      if (!isRegion(text)) report(errors.region(text), value);
    } else if (folded === "aws:sourcevpc") {
      if (!/^vpc-(?:[0-9a-z]{8}|[0-9a-z]{17})$/i.test(text)) report(errors.vpcFormat(), value);
    } else if (folded === "aws:sourcevpce") {
      if (!/^vpce-(?:[0-9a-z]{8}|[0-9a-z]{17})$/i.test(text)) report(errors.vpceFormat(), value);
    } else if (folded === "s3:x-amz-server-side-encryption-aws-kms-key-id") {
      if (!/^arn:[^:]*:kms:[^:]*:[^:]*:key\/.+$/.test(text)) report(errors.kmsKey(key), value);
    }
  }
}
