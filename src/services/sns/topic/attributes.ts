import { snsErrors } from "../errors.ts";
import { type Scope, isFifo, topicArn } from "../arns.ts";
import type { Attributes, TopicCounts, TopicDocument } from "../store.ts";
import { effectiveTopicPolicy, requireTopicDeliveryPolicy } from "./delivery-policy.ts";
import { defaultPolicy, requirePolicy } from "./policy.ts";

const FEEDBACK =
  /^(?:HTTP|Firehose|Lambda|SQS|Application)(?:SuccessFeedbackRoleArn|FailureFeedbackRoleArn)$/u;
const SAMPLING = /^(?:HTTP|Firehose|Lambda|SQS|Application)SuccessFeedbackSampleRate$/u;

/** How an attribute is checked, and what of it is kept. `where` stands before its name in errors. */
type Check = (value: string, where: string, fifo: boolean) => string;

const CHECKS: Readonly<Record<string, Check>> = {
  Policy: (value) => (value === "" ? "" : requirePolicy(value)),
  DeliveryPolicy: (value, where) => (value === "" ? "" : requireTopicDeliveryPolicy(value, where)),
  DisplayName: (value, where) => {
    if (value.length > 100) throw snsErrors.parameter(`${where}DisplayName: must be at most 100 characters`);
    return value;
  },
  KmsMasterKeyId: (value) => value,
  SignatureVersion: oneOf("SignatureVersion", ["1", "2"]),
  TracingConfig: oneOf("TracingConfig", ["PassThrough", "Active"]),
  ContentBasedDeduplication: ofFifo("ContentBasedDeduplication", ["true", "false"]),
  FifoThroughputScope: ofFifo("FifoThroughputScope", ["Topic", "MessageGroup"]),
  ArchivePolicy: () => {
    throw snsErrors.notBuilt("ArchivePolicy: the archiving of messages");
  },
};

function oneOf(name: string, allowed: readonly string[]): Check {
  return (value, where) => {
    if (!allowed.includes(value))
      throw snsErrors.parameter(
        `${where}${name}: Invalid value [${value}]. Must be ${allowed.join(" or ")}.`,
      );
    return value;
  };
}

function ofFifo(name: string, allowed: readonly string[]): Check {
  const check = oneOf(name, allowed);
  return (value, where, fifo) => {
    if (!fifo) throw snsErrors.parameter(`${where}${name}: only FIFO topics have it`);
    return check(value, where, fifo);
  };
}

/** Checks what CreateTopic was given. @throws AwsError InvalidParameter */
export function requireAttributes(given: Attributes, fifo: boolean): Attributes {
  const checked = Object.entries(given)
    .filter(([name]) => name !== "FifoTopic")
    .map(([name, value]) => {
      const check = checkOf(name);
      if (check === undefined) throw snsErrors.parameter("Attributes", `Unknown attribute: ${name}`);
      return [name, check(value, "Attributes Reason: ", fifo)] as const;
    });
  return Object.fromEntries(checked);
}

/** Checks what SetTopicAttributes was given; FifoTopic cannot be changed (recorded). @throws AwsError InvalidParameter */
export function requireAttribute(name: string, value: string, fifo: boolean): string {
  const check = checkOf(name);
  if (check === undefined) throw snsErrors.parameter("AttributeName");
  return check(value, "", fifo);
}

function checkOf(name: string): Check | undefined {
  if (FEEDBACK.test(name)) return (value) => value;
  if (SAMPLING.test(name))
    return (value, where) => {
      if (!/^(?:\d{1,2}|100)$/u.test(value))
        throw snsErrors.parameter(`${where}${name}: must be between 0 and 100`);
      return value;
    };
  return Object.hasOwn(CHECKS, name) ? CHECKS[name] : undefined;
}

/** A topic's attributes as GetTopicAttributes shows them. */
export function shownAttributes(scope: Scope, topic: TopicDocument, counts: TopicCounts): Attributes {
  const { name, attributes } = topic;
  const arn = topicArn({ ...scope, name });
  const shown = Object.entries(attributes).filter(([, value]) => value !== "");
  return {
    ...(isFifo(name) ? { FifoTopic: "true", ContentBasedDeduplication: "false" } : {}),
    DisplayName: "",
    Policy: defaultPolicy(arn, scope.account),
    ...Object.fromEntries(shown),
    Owner: scope.account,
    TopicArn: arn,
    EffectiveDeliveryPolicy: effectiveTopicPolicy(attributes["DeliveryPolicy"] || undefined),
    SubscriptionsConfirmed: String(counts.confirmed),
    SubscriptionsPending: String(counts.pending),
    SubscriptionsDeleted: String(counts.deleted),
  };
}
