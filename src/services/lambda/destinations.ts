import { parseArn } from "#core/arn";
import type { CallerIdentity } from "#wire/operation";
import type { Delivery } from "./delivery.ts";
import { errors } from "./errors.ts";
import type { Scope } from "./names.ts";
import { findQualified } from "./qualified.ts";
import type { LambdaStore } from "./store.ts";

/** Where the outcomes of asynchronous invocations go; undefined where they go nowhere. */
export interface Destinations {
  readonly onSuccess?: string | undefined;
  readonly onFailure?: string | undefined;
}

/** Services that AWS delivers outcomes to (developer guide, "Capturing records of Lambda asynchronous invocations"). */
const SERVICES: ReadonlySet<string> = new Set(["lambda", "sqs", "sns", "events", "s3"]);

/** A destination that can be delivered to: a function of the same account and region. */
export interface FunctionTarget extends Scope {
  readonly name: string;
  readonly qualifier: string | undefined;
}

export function functionTarget(arn: string): FunctionTarget | undefined {
  const parsed = parseArn(arn);
  const [kind, name, qualifier, ...more] = parsed?.resource.split(":") ?? [];
  if (parsed?.service !== "lambda" || kind !== "function" || !name || more.length > 0) return undefined;
  return { account: parsed.account, region: parsed.region, name, qualifier };
}

/**
 * Refuses destinations that nothing could ever reach.
 * @param absent the queues, topics and buckets among them that do not exist: see `absentDestinations`
 * @throws AwsError InvalidParameterValueException
 */
export function requireDestinations(
  store: LambdaStore,
  scope: Scope,
  functionName: string,
  { onSuccess, onFailure }: Destinations,
  absent: ReadonlySet<string>,
): void {
  let known = parseArn(onSuccess ?? "")?.service !== "s3";
  for (const arn of [onFailure, onSuccess]) {
    if (arn === undefined) continue;
    const service = parseArn(arn)?.service ?? "";
    if (!SERVICES.has(service)) known = false;
    else if (service === "lambda") requireFunctionDestination(store, scope, functionName, arn);
    // No event bus is here yet: all are refused as AWS refuses one that does not exist.
    else if (service === "events" || absent.has(arn)) throw errors.destinationInvalid(arn);
  }
  if (!known) throw errors.destinationsInvalid(onSuccess, onFailure);
}

/** Those of the queues, topics and buckets that do not exist, as far as `by` may know. */
export async function absentDestinations(
  delivery: Delivery,
  { onSuccess, onFailure }: Destinations,
  by: CallerIdentity,
): Promise<ReadonlySet<string>> {
  const arns = [onSuccess, onFailure].filter((arn) => arn !== undefined);
  const others = arns.filter((arn) => ["sqs", "sns", "s3"].includes(parseArn(arn)?.service ?? ""));
  const found = await Promise.all(
    others.map((arn) => delivery.exists(arn, { ...by, region: parseArn(arn)?.region || by.region })),
  );
  return new Set(others.filter((_, index) => found[index] === false));
}

function requireFunctionDestination(
  store: LambdaStore,
  scope: Scope,
  functionName: string,
  arn: string,
): void {
  const target = functionTarget(arn);
  const reachable =
    target !== undefined &&
    target.account === scope.account &&
    target.region === scope.region &&
    findQualified(store, target, target.name, target.qualifier) !== undefined;
  if (!reachable) throw errors.destinationInvalid(arn);
  if (target.name === functionName) throw errors.destinationIsItself();
}
