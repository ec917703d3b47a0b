import type { Text } from "../../document/place.ts";
import type { PolicyView } from "../../document/policy.ts";
import { withoutVariables } from "../../document/variables.ts";
import type { ResourceForm } from "../../reference/reference.ts";
import { isRegion } from "../../reference/regions.ts";
import { suggestions } from "../advice.ts";
import { errors } from "../errors.ts";
import { mayOverlap, overlap } from "../overlap.ts";
import type { CheckContext } from "../report.ts";
import { RESOURCE_TYPES } from "./actions.ts";

const PARTITIONS = ["aws", "aws-cn", "aws-us-gov"];
/** Partitions that are not for everybody are not named to anybody. */
const OTHER_PARTITIONS = /^aws-(?:iso(?:-[a-z])?|eusc)$/;
const OPEN = /[*?]|\$\{/;

/** ARNs that are not of the form that their service gives them. */
export function checkResources(policy: PolicyView, context: CheckContext): void {
  for (const { resources } of policy.statements)
    for (const resource of resources?.texts ?? []) {
      if (resource.text === "*") continue;
      checkArn(resource, context);
      checkByType(resource, policy, context);
    }
}

function checkByType(resource: Text, { use }: PolicyView, { report }: CheckContext): void {
  if (use.resourceType === undefined) return;
  const wanted = RESOURCE_TYPES[use.resourceType].resources;
  const service = resource.text.split(":", 3)[2];
  if (wanted === undefined || service === undefined || OPEN.test(service) || service === wanted) return;
  report(errors.resourceInPolicy(use.resourceType), resource);
}

function checkArn(resource: Text, { reference, report, mayTake }: CheckContext): void {
  const { text } = resource;
  const [scheme, partition = "", service = "", region, account, ...rest] = splitArn(text);
  if (scheme !== "arn") {
    report(errors.arnPrefix(), resource);
    return;
  }
  if (region === undefined || account === undefined || rest.length === 0) {
    // IAM takes a wildcard at the end for what is left out.
    if (!text.endsWith("*")) report(errors.missingArnField(), resource);
    return;
  }
  if (!OPEN.test(partition) && !PARTITIONS.includes(partition) && !OTHER_PARTITIONS.test(partition))
    report(errors.partition(service, partition, PARTITIONS.join(", ")), resource);
  if (/[*?]/.test(service)) report(suggestions.wildcardInService(), resource);
  if (OPEN.test(service)) return;
  const folded = service.toLowerCase();
  if (folded !== service && reference.hasResourcesOf(folded)) {
    report(errors.arnServiceCase(service), resource);
    return;
  }
  if (!reference.hasResourcesOf(service)) {
    report(errors.service(service), resource);
    return;
  }
  const forms = reference.resourcesOf(service);
  const wanted = withoutVariables(rest.join(":"), () => "*");
  if (forms.length === 0) return;
  const likely = forms.filter((form) => mayOverlap(form.resource, wanted));
  const steps = likely.reduce((sum, form) => sum + form.resource.length * wanted.length, forms.length);
  if (!mayTake(steps)) return;
  const fitting = likely.filter((form) => overlap(form.resource, wanted));
  if (fitting.length === 0) {
    report(errors.arnResource(), resource);
    return;
  }
  checkRegion(resource, service, region, fitting, report);
  checkAccount(resource, service, account, fitting, report);
}

function checkRegion(
  resource: Text,
  service: string,
  region: string,
  forms: readonly ResourceForm[],
  report: CheckContext["report"],
): void {
  if (region === "") {
    if (forms.every((form) => form.region !== "")) report(errors.missingArnRegion(service), resource);
  } else if (region !== "*" && forms.every((form) => form.region === ""))
    report(errors.arnRegionNotAllowed(service), resource);
  else if (!OPEN.test(region) && !isRegion(region)) report(errors.arnRegion(region), resource);
}

function checkAccount(
  resource: Text,
  service: string,
  account: string,
  forms: readonly ResourceForm[],
  report: CheckContext["report"],
): void {
  if (account === "") {
    if (forms.every((form) => form.account !== ""))
      report(errors.missingArnAccount(resource.text.split(":").slice(5).join(":")), resource);
  } else if (account !== "*" && forms.every((form) => form.account === ""))
    report(errors.arnAccountNotAllowed(service), resource);
  else if (!OPEN.test(account) && !/^(?:\d{12}|aws)$/.test(account))
    report(errors.arnAccount(account), resource);
}

/** Colons in variables do not part an ARN. */
function splitArn(text: string): readonly string[] {
  return withoutVariables(text, (variable) => variable.replaceAll(":", "\u0000")).split(":");
}
