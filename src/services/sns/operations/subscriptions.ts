import type * as client from "@aws-sdk/client-sns";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import {
  isFifo,
  requireSubscriptionArn,
  requireTopicArn,
  subscriptionArn,
  topicArn,
  type TopicName,
} from "../arns.ts";
import type { Confirmations } from "../subscription/confirmations.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { keys, requireTopic, type SubscriptionDocument, takePage } from "../store.ts";
import { requireAttributes, shownAttributes, withAttribute } from "../subscription/attributes.ts";
import { requireEndpoint, requireProtocol } from "../subscription/endpoints.ts";
import type { SubscriptionRegistry } from "../subscription/registry.ts";

type Sns = typeof client;

export interface SubscriptionParts {
  readonly registry: SubscriptionRegistry;
  readonly confirmations: Confirmations;
}

export function subscriptionOperations(deps: SnsDeps, { registry, confirmations }: SubscriptionParts) {
  const { documents, clock, ids } = deps;

  const Subscribe: Handler<Sns, "Subscribe"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const protocol = requireProtocol(input.Protocol ?? "");
    const endpoint = requireEndpoint(protocol, input.Endpoint ?? "", name.name);
    const attributes = requireAttributes(input.Attributes ?? {}, protocol);
    const topic = requireTopic(documents, name).value;
    const fresh: SubscriptionDocument = {
      id: ids.uuid(),
      topicName: topic.name,
      topicId: topic.id,
      protocol,
      endpoint,
      owner: call.account,
      principal: call.principal.arn,
      pending: confirmations.needed(protocol),
      authenticated: !confirmations.needed(protocol),
      attributes,
      createdAt: clock.now(),
    };
    for (;;) {
      const existing = registry.byEndpoint(name, topic.id, protocol, endpoint)?.value;
      if (existing !== undefined) {
        requireSame(existing, attributes);
        if (existing.pending) await askAgain(name, existing.id);
        return { SubscriptionArn: answeredArn(existing) };
      }
      if (isFifo(topic.name) && registry.counts(name, topic.id).confirmed >= LIMITS.fifoSubscriptions)
        throw snsErrors.subscriptions();
      if (await registry.add(name, fresh)) break;
    }
    if (fresh.pending) await confirmations.ask(name, fresh);
    return { SubscriptionArn: answeredArn(fresh) };

    function answeredArn({ id, pending }: SubscriptionDocument): string {
      return pending && input.ReturnSubscriptionArn !== true
        ? "pending confirmation"
        : subscriptionArn({ ...name, id });
    }
  };

  async function askAgain(scope: TopicName, id: string): Promise<void> {
    const asked = await registry.update(scope, id, (current) => {
      if (current === undefined) throw snsErrors.subscriptionMissing();
      return { ...current, askedAt: clock.now() };
    });
    if (asked.pending) await confirmations.ask(scope, asked);
  }

  const ConfirmSubscription: Handler<Sns, "ConfirmSubscription"> = async (input, call) => {
    const confirmed = await confirmations.confirm(input.TopicArn, input.Token, call, {
      signedUnsubscribe: input.AuthenticateOnUnsubscribe === "true",
    });
    return { SubscriptionArn: confirmed };
  };

  const Unsubscribe: Handler<Sns, "Unsubscribe"> = async (input, call) => {
    const { id, ...scope } = requireSubscriptionArn(input.SubscriptionArn, call);
    const subscription = registry.find(scope, id)?.value;
    if (subscription?.signedUnsubscribe === true && isLink(call)) throw snsErrors.unsubscribeSigned();
    await confirmations.end(scope, id);
    return {};
  };

  const GetSubscriptionAttributes: Handler<Sns, "GetSubscriptionAttributes"> = (input, call) => {
    const name = requireSubscriptionArn(input.SubscriptionArn, call);
    const subscription = registry.find(name, name.id)?.value;
    if (subscription?.topicName !== name.name) throw snsErrors.subscriptionMissing();
    return { Attributes: shownAttributes(name, subscription, registry.topic(name)?.attributes) };
  };

  const SetSubscriptionAttributes: Handler<Sns, "SetSubscriptionAttributes"> = async (input, call) => {
    const name = requireSubscriptionArn(input.SubscriptionArn, call);
    const { AttributeName: attribute = "", AttributeValue: value = "" } = input;
    await registry.update(name, name.id, (current) => {
      if (current?.topicName !== name.name) throw snsErrors.subscriptionMissing();
      const attributes = withAttribute(current.attributes, attribute, value, current.protocol);
      return { ...current, attributes };
    });
    return {};
  };

  const ListSubscriptions: Handler<Sns, "ListSubscriptions"> = (input, call) => {
    const { items, next } = takePage<SubscriptionDocument>(
      documents,
      keys.subscriptions(call),
      input.NextToken,
      LIMITS.pageItems,
    );
    return {
      Subscriptions: items.map(({ value }) => shown(call, value)),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  };

  const ListSubscriptionsByTopic: Handler<Sns, "ListSubscriptionsByTopic"> = (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const topic = requireTopic(documents, name).value;
    const { items, next } = takePage(
      documents,
      keys.membersOf(name, topic.id),
      input.NextToken,
      LIMITS.pageItems,
    );
    const found = items.flatMap(({ key }) => registry.find(name, String(key.at(-1)))?.value ?? []);
    return {
      Subscriptions: found.map((subscription) => shown(name, subscription)),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  };

  return {
    Subscribe,
    ConfirmSubscription,
    Unsubscribe,
    GetSubscriptionAttributes,
    SetSubscriptionAttributes,
    ListSubscriptions,
    ListSubscriptionsByTopic,
  } satisfies OperationsOf<Sns>;
}

/** Whether a call came by a link of a message, which nobody signed. */
function isLink({ principal }: CallContext): boolean {
  return principal.kind === "service" && principal.service === "sns.amazonaws.com";
}

function shown(
  { account, region }: Pick<CallContext, "account" | "region">,
  subscription: SubscriptionDocument,
): client.Subscription {
  const { id, topicName: name, pending, owner, protocol, endpoint } = subscription;
  return {
    SubscriptionArn: pending ? "PendingConfirmation" : subscriptionArn({ account, region, name, id }),
    Owner: owner,
    Protocol: protocol,
    Endpoint: endpoint,
    TopicArn: topicArn({ account, region, name }),
  };
}

/** What an attribute is that was never set. */
const DEFAULTS: SubscriptionDocument["attributes"] = {
  RawMessageDelivery: "false",
  FilterPolicyScope: "MessageAttributes",
};

/** Subscribing again is no change, and must not look like one (recorded: test_subscribe_idempotency). */
function requireSame(existing: SubscriptionDocument, given: SubscriptionDocument["attributes"]): void {
  for (const [name, value] of Object.entries(given))
    if ((existing.attributes[name] ?? DEFAULTS[name]) !== value)
      throw snsErrors.parameter("Attributes", "Subscription already exists with different attributes");
}
