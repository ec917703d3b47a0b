import { listOf, type PolicyDocument, type StatementElement } from "#policy/document";
import { parsePolicy } from "#policy/grammar";
import { SERVICE_NAMES } from "./service-names.ts";

/**
 * The services of which a policy allows something, by what their actions begin with. Only statements that allow are looked
 * at. Of the services that a wildcard stands for, those count that have a name here.
 */
export function grantedServices(text: string): ReadonlySet<string> {
  // Documents were checked when they were stored.
  const { Statement: statements }: PolicyDocument = parsePolicy(text, "identity");
  const granted = new Set<string>();
  for (const statement of listOf(statements))
    if (statement.Effect === "Allow") for (const service of servicesOf(statement)) granted.add(service);
  return granted;
}

/** What stands before the colon has no wildcards, but for a lone `*`. */
function* servicesOf({ Action, NotAction }: StatementElement): Generator<string> {
  if (NotAction === undefined) {
    const services = listOf(Action).map(serviceOf);
    yield* services.includes("*") ? SERVICE_NAMES.keys() : services;
    return;
  }
  const excluded = new Set(
    listOf(NotAction)
      .filter((action) => action === "*" || action.endsWith(":*"))
      .map(serviceOf),
  );
  for (const service of SERVICE_NAMES.keys()) if (!excluded.has("*") && !excluded.has(service)) yield service;
}

/** `s3` of `S3:Get*`; `*` of `*`. */
function serviceOf(action: string): string {
  return (action.split(":")[0] ?? action).toLowerCase();
}
