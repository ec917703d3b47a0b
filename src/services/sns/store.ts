import type { Document, DocumentKey, Documents } from "#storage/documents";
import type { Scope, TopicName } from "./arns.ts";
import { snsErrors } from "./errors.ts";

export type Attributes = Readonly<Record<string, string>>;

export interface TopicDocument {
  readonly name: string;
  /** Tells a topic from one of the same name before it: subscriptions belong to one of them. */
  readonly id: string;
  /** As they were set, by the names of SetTopicAttributes; what was never set is not there. */
  readonly attributes: Attributes;
  readonly tags: Attributes;
  readonly dataProtectionPolicy?: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export type Protocol = "http" | "https" | "email" | "email-json" | "sms" | "sqs" | "application" | "lambda";

export interface SubscriptionDocument {
  readonly id: string;
  readonly topicName: string;
  readonly topicId: string;
  readonly protocol: Protocol;
  readonly endpoint: string;
  readonly owner: string;
  /** ARN of who subscribed. */
  readonly principal: string;
  readonly pending: boolean;
  /** Whether it was confirmed by a signed call, or needed no confirmation. */
  readonly authenticated: boolean;
  /** Whether only signed calls end it. */
  readonly signedUnsubscribe?: boolean;
  /** FilterPolicy, FilterPolicyScope, RawMessageDelivery, RedrivePolicy, DeliveryPolicy, as they were set. */
  readonly attributes: Attributes;
  readonly createdAt: number;
  /** When it was last asked to confirm, where that was after it was made. */
  readonly askedAt?: number;
}

/** What a confirmation token stands for. */
export interface TokenDocument {
  readonly subscriptionId: string;
  /** Epoch milliseconds. */
  readonly expires: number;
  /** A subscription that was ended: confirming brings it back. */
  readonly restore?: SubscriptionDocument;
}

export interface TopicCounts {
  readonly confirmed: number;
  readonly pending: number;
  readonly deleted: number;
  readonly filterPolicies: number;
}

export const NO_SUBSCRIPTIONS: TopicCounts = { confirmed: 0, pending: 0, deleted: 0, filterPolicies: 0 };

export interface ApplicationDocument {
  readonly name: string;
  readonly platform: string;
  readonly attributes: Attributes;
}

export interface EndpointDocument {
  readonly id: string;
  readonly attributes: Attributes;
}

export interface SandboxNumberDocument {
  readonly number: string;
  readonly status: "Pending" | "Verified";
  readonly password: string;
}

export const keys = {
  topics: ({ account, region }: Scope): DocumentKey => [account, region, "sns-topic"],
  topic: ({ account, region, name }: TopicName): DocumentKey => [account, region, "sns-topic", name],
  subscriptions: ({ account, region }: Scope): DocumentKey => [account, region, "sns-subscription"],
  subscription: ({ account, region }: Scope, id: string): DocumentKey => [
    account,
    region,
    "sns-subscription",
    id,
  ],
  /** The subscriptions of one topic: `true` under each subscription's id. */
  membersOf: ({ account, region }: Scope, topicId: string): DocumentKey => [
    account,
    region,
    "sns-topic-member",
    topicId,
  ],
  member: ({ account, region }: Scope, topicId: string, id: string): DocumentKey => [
    account,
    region,
    "sns-topic-member",
    topicId,
    id,
  ],
  /** The subscription's id, for each endpoint that a topic has. Endpoints may be longer than keys: see `endpointHash`. */
  endpointOf: ({ account, region }: Scope, topicId: string, protocol: string, hash: string): DocumentKey => [
    account,
    region,
    "sns-topic-endpoint",
    topicId,
    protocol,
    hash,
  ],
  counts: ({ account, region }: Scope, topicId: string): DocumentKey => [
    account,
    region,
    "sns-topic-counts",
    topicId,
  ],
  token: ({ account, region }: Scope, token: string): DocumentKey => [account, region, "sns-token", token],
  /** How many messages a FIFO topic has numbered. */
  sequence: ({ account, region }: Scope, topicId: string): DocumentKey => [
    account,
    region,
    "sns-sequence",
    topicId,
  ],
  duplicate: ({ account, region }: Scope, topicId: string, hash: string): DocumentKey => [
    account,
    region,
    "sns-duplicate",
    topicId,
    hash,
  ],
  /** What waits for one subscription in one message group, in order of sequence. */
  laneOf: ({ account, region }: Scope, subscriptionId: string, group: string): DocumentKey => [
    account,
    region,
    "sns-lane",
    subscriptionId,
    group,
  ],
  lane: (scope: Scope, subscriptionId: string, group: string, sequence: number): DocumentKey => [
    ...keys.laneOf(scope, subscriptionId, group),
    sequence,
  ],
  applications: ({ account, region }: Scope): DocumentKey => [account, region, "sns-application"],
  application: ({ account, region }: Scope, platform: string, name: string): DocumentKey => [
    account,
    region,
    "sns-application",
    platform,
    name,
  ],
  endpoints: ({ account, region }: Scope, platform: string, name: string): DocumentKey => [
    account,
    region,
    "sns-endpoint",
    platform,
    name,
  ],
  endpoint: ({ account, region }: Scope, platform: string, name: string, id: string): DocumentKey => [
    account,
    region,
    "sns-endpoint",
    platform,
    name,
    id,
  ],
  /** The endpoint's id, for each device token of an application. */
  endpointToken: ({ account, region }: Scope, platform: string, name: string, hash: string): DocumentKey => [
    account,
    region,
    "sns-endpoint-token",
    platform,
    name,
    hash,
  ],
  smsAttributes: ({ account, region }: Scope): DocumentKey => [account, region, "sns-sms"],
  optedOutNumbers: ({ account, region }: Scope): DocumentKey => [account, region, "sns-opted-out"],
  optedOut: ({ account, region }: Scope, number: string): DocumentKey => [
    account,
    region,
    "sns-opted-out",
    number,
  ],
  sandboxNumbers: ({ account, region }: Scope): DocumentKey => [account, region, "sns-sandbox-number"],
  sandboxNumber: ({ account, region }: Scope, number: string): DocumentKey => [
    account,
    region,
    "sns-sandbox-number",
    number,
  ],
} as const;

/** @throws AwsError NotFound */
export function requireTopic(documents: Documents, name: TopicName): Document<TopicDocument> {
  const topic = documents.get<TopicDocument>(keys.topic(name));
  if (topic === undefined) throw snsErrors.topicMissing();
  return topic;
}

/** A list's next items, with the token behind which it goes on. @throws AwsError InvalidParameter for a forged token */
export function takePage<T>(
  documents: Documents,
  prefix: DocumentKey,
  token: string | undefined,
  size: number,
): { readonly items: readonly Document<T>[]; readonly next: string | undefined } {
  const after: DocumentKey | undefined =
    token === undefined || token === "" ? undefined : [...prefix, ...readToken(token)];
  const items = Array.from(
    documents.list<T>(prefix, {
      limit: size + 1,
      ...(after === undefined ? {} : { after }),
    }),
  );
  if (items.length <= size) return { items, next: undefined };
  items.pop();
  const last = items.at(-1)?.key.slice(prefix.length) ?? [];
  return { items, next: Buffer.from(JSON.stringify(last)).toString("base64url") };
}

function readToken(token: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, "base64url").toString());
  } catch {
    throw snsErrors.parameter("NextToken");
  }
  const fits =
    Array.isArray(value) &&
    value.length > 0 &&
    value.length < 4 &&
    value.every((part) => typeof part === "string" && part.length < 600 && part.isWellFormed());
  if (!fits) throw snsErrors.parameter("NextToken");
  return value as string[];
}
