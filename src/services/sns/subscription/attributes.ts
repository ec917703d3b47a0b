import { snsErrors } from "../errors.ts";
import { type Scope, subscriptionArn, topicArn } from "../arns.ts";
import type { Attributes, Protocol, SubscriptionDocument } from "../store.ts";
import { effectiveSubscriptionPolicy, requireSubscriptionDeliveryPolicy } from "../topic/delivery-policy.ts";
import { type FilterPolicyScope, requireFilter } from "./filter-policy.ts";
import { requireRedrivePolicy } from "./redrive-policy.ts";

/** Where attributes come from: Subscribe says so in its errors, SetSubscriptionAttributes does not (recorded). */
const OF_SUBSCRIBE = "Attributes Reason: ";

/** Endpoints that take messages as they were published. */
const RAW: ReadonlySet<Protocol> = new Set(["http", "https", "sqs"]);

/** Checks what Subscribe was given. @throws AwsError InvalidParameter */
export function requireAttributes(given: Attributes, protocol: Protocol): Attributes {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    const checked = check(name, value, OF_SUBSCRIBE, protocol);
    if (checked === undefined) throw snsErrors.parameter("Attributes", `Unknown attribute: ${name}`);
    kept[name] = checked;
  }
  requireFilterOf(kept, OF_SUBSCRIBE);
  return kept;
}

/** Checks one attribute on top of those that are there. @throws AwsError InvalidParameter */
export function withAttribute(
  current: Attributes,
  name: string,
  value: string,
  protocol: Protocol,
): Attributes {
  const checked = check(name, value, "", protocol);
  if (checked === undefined) throw snsErrors.parameter("AttributeName");
  const attributes = { ...current, [name]: checked };
  if (name === "FilterPolicy" || name === "FilterPolicyScope") requireFilterOf(attributes, "");
  return attributes;
}

function check(name: string, value: string, where: string, protocol: Protocol): string | undefined {
  switch (name) {
    case "RawMessageDelivery": {
      if (value !== "true" && value !== "false")
        throw snsErrors.parameter(
          `${where}RawMessageDelivery: Invalid value [${value}]. Must be true or false.`,
        );
      if (value === "true" && !RAW.has(protocol))
        throw snsErrors.parameter(
          `${where}RawMessageDelivery: Delivery protocol [${protocol}] does not support raw message delivery.`,
        );
      return value;
    }
    case "FilterPolicyScope":
      if (value !== "MessageAttributes" && value !== "MessageBody")
        throw snsErrors.parameter(
          `${where}FilterPolicyScope: Invalid value [${value}]. Please use either MessageBody or MessageAttributes`,
        );
      return value;
    case "FilterPolicy":
      // An empty one takes away the one before.
      return /^\s*\{\s*\}\s*$/u.test(value) ? "" : value;
    case "RedrivePolicy":
      return value === "" ? "" : requireRedrivePolicy(value, where);
    case "DeliveryPolicy":
      return value === "" ? "" : requireSubscriptionDeliveryPolicy(value, where);
    case "SubscriptionRoleArn":
      throw snsErrors.parameter(`${where}SubscriptionRoleArn: only Firehose subscriptions have it`);
    case "ReplayPolicy":
      throw snsErrors.notBuilt("ReplayPolicy: the archiving of messages");
    default:
      return undefined;
  }
}

/** Scope and policy have to fit each other, whichever came last. An empty policy is none. */
function requireFilterOf(attributes: Attributes, where: string): void {
  const { FilterPolicy: policy = "" } = attributes;
  if (policy !== "") requireFilter(policy, filterScope(attributes), where);
}

export function filterScope({ FilterPolicyScope: scope }: Attributes): FilterPolicyScope {
  return scope === "MessageBody" ? scope : "MessageAttributes";
}

/** Whether there is a filter policy. */
export function hasFilter({ FilterPolicy: policy = "" }: Attributes): boolean {
  return policy !== "";
}

/** A subscription's attributes as GetSubscriptionAttributes shows them. */
export function shownAttributes(
  scope: Scope,
  subscription: SubscriptionDocument,
  topic: Attributes | undefined,
): Attributes {
  const { id, topicName: name, protocol, endpoint, attributes } = subscription;
  const set = Object.fromEntries(
    Object.entries(attributes).filter(([key, value]) => value !== "" && key !== "FilterPolicyScope"),
  );
  return {
    RawMessageDelivery: "false",
    ...set,
    ...(hasFilter(attributes) ? { FilterPolicyScope: filterScope(attributes) } : {}),
    ...(isHttp(protocol) ? effective(attributes, topic) : {}),
    SubscriptionArn: subscriptionArn({ ...scope, name, id }),
    TopicArn: topicArn({ ...scope, name }),
    Owner: subscription.owner,
    Protocol: protocol,
    Endpoint: endpoint,
    PendingConfirmation: String(subscription.pending),
    ConfirmationWasAuthenticated: String(subscription.authenticated),
    SubscriptionPrincipal: subscription.principal,
  };
}

export function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "https";
}

/** Only what was set is shown, as AWS does: a subscription without a policy of its own has no effective one. */
function effective({ DeliveryPolicy: own = "" }: Attributes, topic: Attributes | undefined): Attributes {
  if (own === "") return {};
  return {
    EffectiveDeliveryPolicy: effectiveSubscriptionPolicy(own, topic?.["DeliveryPolicy"] || undefined),
  };
}
