import { isEmptyArray, type Text } from "../../document/place.ts";
import { hasKey, type PolicyView, type PrincipalsView, type StatementView } from "../../document/policy.ts";
import { securityWarnings, suggestions, warnings } from "../advice.ts";
import { errors, typeErrors } from "../errors.ts";
import type { CheckContext } from "../report.ts";
import { checkTrust } from "./trust.ts";

const KINDS: ReadonlySet<string> = new Set(["AWS", "CanonicalUser", "Federated", "Service"]);
const SOURCE_KEYS = ["aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"] as const;
const SERVICE = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazon\.com|aws\.internal)$/;

/** Whom policies of each type may name, and how. */
export function checkPrincipals(policy: PolicyView, context: CheckContext): void {
  for (const statement of policy.statements) {
    checkByType(statement, policy, context.report);
    if (statement.principals !== undefined && policy.use.type === "RESOURCE_POLICY")
      checkElement(statement, statement.principals, policy, context);
  }
}

function checkByType(
  { place, principals, resources, conditions, effect, actions }: StatementView,
  { use, trust }: PolicyView,
  report: CheckContext["report"],
): void {
  if (use.type === "SERVICE_CONTROL_POLICY") {
    if (principals !== undefined) report(typeErrors.scpPrincipal(), principals.member.key);
  } else if (use.type === "RESOURCE_CONTROL_POLICY") {
    const everybody = principals?.negated === false && isStar(principals);
    if (!everybody) report(typeErrors.rcpPrincipal(), principals?.member ?? place);
    if (actions?.negated === true) report(typeErrors.rcpNotAction(), actions.member.key);
    const everything = resources?.negated === false && resources.texts.every(({ text }) => text === "*");
    if (effect === "Allow" && (!everybody || !everything || conditions.length > 0))
      report(typeErrors.rcpAllow(), place);
  } else if (use.type === "IDENTITY_POLICY") {
    if (principals !== undefined) report(errors.unsupportedPrincipal(use.type), principals.member.key);
  } else {
    if (principals === undefined) report(errors.missingPrincipal(), place);
    if (trust && resources !== undefined) report(typeErrors.trustResource(), resources.member.key);
  }
}

function isStar({ member }: PrincipalsView): boolean {
  return member.node.kind === "string" && member.node.value === "*";
}

function checkElement(
  statement: StatementView,
  principals: PrincipalsView,
  policy: PolicyView,
  context: CheckContext,
): void {
  const { report } = context;
  const { member, kinds, negated } = principals;
  if (policy.trust && negated) report(typeErrors.trustNotPrincipal(), member.key);
  else if (negated && statement.effect === "Allow")
    report(securityWarnings.allowWithNotPrincipal(), member.key);
  if (member.node.kind === "string") {
    if (member.node.value !== "*") report(errors.principalFormat(), member);
    else if (policy.trust && !negated) report(typeErrors.trustWildcard(), member);
    return;
  }
  if (member.node.kind !== "object") {
    report(errors.principalFormat(), member);
    return;
  }
  if (kinds.length === 0) report(suggestions.emptyPrincipalObject(), member);
  for (const { kind, member: place, texts } of kinds) {
    if (!KINDS.has(kind)) report(errors.principalKey(kind), place.key);
    else if (isEmptyArray(place)) report(suggestions.emptyPrincipalArray(), place);
    for (const text of texts) checkName(kind, text, policy, report);
  }
  checkServices(statement, principals, policy, report);
  if (policy.trust) checkTrust(statement, principals, context);
}

function checkName(kind: string, name: Text, policy: PolicyView, report: CheckContext["report"]): void {
  const { text } = name;
  if (/[*?]/.test(text) && !(kind === "AWS" && text === "*")) report(errors.wildcardInPrincipal(kind), name);
  else if (kind === "Service") {
    if (!SERVICE.test(text)) report(errors.servicePrincipalFormat("service-name.amazonaws.com"), name);
  } else if (kind === "Federated") {
    if (policy.use.resourceType !== undefined && !policy.trust) report(errors.federatedPrincipal(), name);
  } else if (/^AROA[A-Z0-9]{12,}$/.test(text)) report(warnings.roleId(text), name);
  else if (/^AIDA[A-Z0-9]{12,}$/.test(text)) report(warnings.userId(text), name);
}

/** A service that anybody may set to work, for its own resources as for others', is let in from everywhere. */
function checkServices(
  statement: StatementView,
  { kinds, negated }: PrincipalsView,
  policy: PolicyView,
  report: CheckContext["report"],
): void {
  const services = kinds.find(({ kind }) => kind === "Service")?.texts ?? [];
  const [first] = services;
  if (first === undefined || negated || policy.trust || statement.effect !== "Allow") return;
  if (hasKey(statement, ...SOURCE_KEYS)) return;
  const referer = statement.conditions.find(({ key }) => key.toLowerCase() === "aws:referer");
  if (referer === undefined) report(securityWarnings.servicePrincipal(), ...services);
  else
    report(
      suggestions.recommendedSourceKey(first.text.split(".", 1)[0] ?? "", referer.key),
      first,
      referer.member.key,
    );
}
