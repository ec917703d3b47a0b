import type { PolicyView } from "../../document/policy.ts";
import { warnings } from "../advice.ts";
import { typeErrors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

/** In characters (IAM user guide, "IAM and AWS STS quotas"; AWS Organizations user guide, "Quotas"). */
const QUOTAS = {
  identity: 6144,
  trust: 2048,
  serviceControl: 10_240,
  resourceControl: 5120,
  resource: 20_480,
};

/** Policies that are larger than what they would be attached to takes. */
export function checkSize({ use, trust, text, root }: PolicyView, { report }: CheckContext): void {
  const dense = text.replaceAll(/\s/g, "").length;
  if (use.type === "IDENTITY_POLICY") {
    if (dense > QUOTAS.identity) report(warnings.identitySize(dense, QUOTAS.identity), root);
  } else if (trust) {
    if (dense > QUOTAS.trust) report(warnings.trustSize(), root);
  } else if (use.type === "SERVICE_CONTROL_POLICY") {
    if (text.length > QUOTAS.serviceControl)
      report(typeErrors.scpSize(text.length, QUOTAS.serviceControl), root);
  } else if (use.type === "RESOURCE_CONTROL_POLICY") {
    if (text.length > QUOTAS.resourceControl)
      report(typeErrors.rcpSize(text.length, QUOTAS.resourceControl), root);
  } else if (use.resourceType !== undefined && text.length > QUOTAS.resource)
    report(warnings.resourceSize(text.length, QUOTAS.resource), root);
}
