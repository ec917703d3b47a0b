import { formatArn } from "#core/arn";
import type { CallContext } from "#wire/operation";
import { snsErrors } from "./errors.ts";

/** Where something is kept. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface TopicName extends Scope {
  readonly name: string;
}

export interface SubscriptionName extends TopicName {
  readonly id: string;
}

export function topicArn({ account, region, name }: TopicName): string {
  return formatArn("sns", region, account, name);
}

export function subscriptionArn(of: SubscriptionName): string {
  return `${topicArn(of)}:${of.id}`;
}

export function isFifo(name: string): boolean {
  return name.endsWith(".fifo");
}

const ACCOUNT = /^\d{12}$/;

/** @throws AwsError InvalidParameter, in the words recorded for each way of being wrong */
export function elementsOf(arn: string, parameter: string): readonly string[] {
  const elements = arn.split(":");
  if (elements.length < 6)
    throw snsErrors.parameter(parameter, `An ARN must have at least 6 elements, not ${elements.length}`);
  return elements;
}

/**
 * The topic that a request names. Topics of other regions are invalid parameters (recorded: test_cross_region_access);
 * it may be another account's, whose policy was asked before.
 */
export function requireTopicArn(
  arn: string | undefined,
  call: Pick<CallContext, "region">,
  parameter = "TopicArn",
): TopicName {
  const [prefix, , service, region = "", account = "", ...rest] = elementsOf(arn ?? "", parameter);
  const name = rest.join(":");
  if (prefix !== "arn" || service !== "sns" || region !== call.region || rest.length !== 1 || name === "")
    throw snsErrors.parameter(parameter);
  if (!ACCOUNT.test(account)) throw snsErrors.parameter(parameter);
  return { account, region, name };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The subscription that a request names (recorded: test_unsubscribe_wrong_arn_format). */
export function requireSubscriptionArn(
  arn: string | undefined,
  call: Pick<CallContext, "region">,
): SubscriptionName {
  if (arn === undefined || arn === "")
    throw snsErrors.parameter("SubscriptionArn", "no value for required parameter");
  const [prefix, , service, region = "", account = "", name = "", id = "", ...rest] = elementsOf(
    arn,
    "SubscriptionArn",
  );
  if (prefix !== "arn" || service !== "sns") throw snsErrors.parameter("SubscriptionArn");
  if (!UUID.test(id) || rest.length > 0) throw snsErrors.parameter("SubscriptionId");
  if (region !== call.region) throw snsErrors.parameter("SubscriptionArn");
  if (!ACCOUNT.test(account)) throw snsErrors.parameter("SubscriptionArn");
  return { account, region, name, id };
}
