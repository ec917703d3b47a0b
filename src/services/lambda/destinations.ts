import { parseArn } from "#core/arn";
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
 * Refuses destinations that nothing could ever reach. Queues, topics, buses and buckets are refused as AWS refuses one
 * that does not exist: none of them is here yet.
 * @throws AwsError InvalidParameterValueException
 */
export function requireDestinations(
  store: LambdaStore,
  scope: Scope,
  functionName: string,
  { onSuccess, onFailure }: Destinations,
): void {
  const given = [onFailure, onSuccess].filter((arn) => arn !== undefined);
  let known = true;
  for (const arn of given) {
    const service = parseArn(arn)?.service ?? "";
    if (!SERVICES.has(service)) known = false;
    else requireDestination(store, scope, functionName, arn);
  }
  if (!known) throw errors.destinationsInvalid(onSuccess, onFailure);
}

function requireDestination(store: LambdaStore, scope: Scope, functionName: string, arn: string): void {
  const target = functionTarget(arn);
  const reachable =
    target !== undefined &&
    target.account === scope.account &&
    target.region === scope.region &&
    findQualified(store, target, target.name, target.qualifier) !== undefined;
  if (!reachable) throw errors.destinationInvalid(arn);
  if (target.name === functionName) throw errors.destinationIsItself();
}
