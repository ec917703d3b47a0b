import { snsErrors } from "../errors.ts";
import { isMembers, type Members, requireJsonObject } from "../json.ts";

export type BackoffFunction = "arithmetic" | "exponential" | "geometric" | "linear";

/** How an HTTP endpoint is tried again (developer guide, "Creating an HTTP/S delivery policy"). Delays are seconds. */
export interface RetryPolicy {
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  /** All retries together. */
  readonly numRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly numMaxDelayRetries: number;
  readonly backoffFunction: BackoffFunction;
}

export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};

export const DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8";

/** "The numeric value must be …": what each member may be. */
const BOUNDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  minDelayTarget: [1, 3600],
  maxDelayTarget: [1, 3600],
  numRetries: [0, 100],
  numNoDelayRetries: [0, 100],
  numMinDelayRetries: [0, 100],
  numMaxDelayRetries: [0, 100],
};

const BACKOFF: ReadonlySet<unknown> = new Set(["arithmetic", "exponential", "geometric", "linear"]);

/** Content types that SNS will send (developer guide, "Creating an HTTP/S delivery policy"). */
const CONTENT_TYPE =
  /^(?:text\/(?:css|csv|html|plain|xml)|application\/(?:atom\+xml|json|octet-stream|soap\+xml|x-www-form-urlencoded|xhtml\+xml|xml))(?:; ?charset=[\w-]+)?$/iu;

/** What a topic's DeliveryPolicy says of its HTTP endpoints. */
export interface TopicDeliveryPolicy {
  readonly retry: RetryPolicy;
  readonly contentType: string;
  readonly disableSubscriptionOverrides: boolean;
}

/** Checks a topic's DeliveryPolicy and completes it as AWS shows it. @throws AwsError InvalidParameter */
export function requireTopicDeliveryPolicy(text: string, where: string): string {
  const policy = requireJsonObject(text, "DeliveryPolicy", where);
  const { http } = policy;
  if (http !== undefined && !isMembers(http)) throw wrong(where, "http must be an object");
  const { defaultHealthyRetryPolicy: retry, defaultRequestPolicy: request } = http ?? {};
  if (retry !== undefined) requireRetryPolicy(retry, where);
  if (request !== undefined) requireRequestPolicy(request, where);
  return JSON.stringify(
    http === undefined ? policy : { ...policy, http: { disableSubscriptionOverrides: false, ...http } },
  );
}

/** @param text as it was accepted, or undefined */
export function readTopicDeliveryPolicy(text: string | undefined): TopicDeliveryPolicy {
  const { http } = (text === undefined ? {} : JSON.parse(text)) as Members;
  const {
    defaultHealthyRetryPolicy: retry,
    defaultRequestPolicy: request,
    disableSubscriptionOverrides: fixed,
  } = isMembers(http) ? http : {};
  return {
    retry: { ...DEFAULT_RETRY_POLICY, ...(isMembers(retry) ? retry : {}) },
    contentType: contentTypeOf(request) ?? DEFAULT_CONTENT_TYPE,
    disableSubscriptionOverrides: fixed === true,
  };
}

/** What applies to a topic, as GetTopicAttributes shows it. */
export function effectiveTopicPolicy(text: string | undefined): string {
  const { retry, contentType, disableSubscriptionOverrides } = readTopicDeliveryPolicy(text);
  return JSON.stringify({
    http: {
      defaultHealthyRetryPolicy: retry,
      disableSubscriptionOverrides,
      defaultRequestPolicy: { headerContentType: contentType },
    },
  });
}

/** Checks a subscription's DeliveryPolicy and completes it as AWS shows it. @throws AwsError InvalidParameter */
export function requireSubscriptionDeliveryPolicy(text: string, where: string): string {
  const policy = requireJsonObject(text, "DeliveryPolicy", where);
  const { healthyRetryPolicy = null, requestPolicy = null, throttlePolicy = null } = policy;
  if (healthyRetryPolicy !== null) requireRetryPolicy(healthyRetryPolicy, where);
  if (requestPolicy !== null) requireRequestPolicy(requestPolicy, where);
  if (throttlePolicy !== null) requireThrottlePolicy(throttlePolicy, where);
  return JSON.stringify(completed(policy));
}

/** What applies to a subscription, as GetSubscriptionAttributes shows it. */
export function effectiveSubscriptionPolicy(own: string | undefined, topic: string | undefined): string {
  const { retry, contentType } = applied(own, topic);
  const policy = own === undefined ? {} : (JSON.parse(own) as Members);
  return JSON.stringify({
    ...completed(policy),
    healthyRetryPolicy: retry,
    requestPolicy: { headerContentType: contentType },
  });
}

/** The policy that deliveries to an HTTP endpoint follow. */
export function applied(
  own: string | undefined,
  topic: string | undefined,
): Pick<TopicDeliveryPolicy, "retry" | "contentType"> & { readonly perSecond: number | undefined } {
  const base = readTopicDeliveryPolicy(topic);
  const policy = own === undefined || base.disableSubscriptionOverrides ? {} : (JSON.parse(own) as Members);
  const { healthyRetryPolicy, requestPolicy, throttlePolicy } = policy;
  const perSecond = isMembers(throttlePolicy) ? throttlePolicy["maxReceivesPerSecond"] : undefined;
  return {
    retry: isMembers(healthyRetryPolicy) ? { ...base.retry, ...healthyRetryPolicy } : base.retry,
    contentType: contentTypeOf(requestPolicy) ?? base.contentType,
    perSecond: typeof perSecond === "number" ? perSecond : undefined,
  };
}

function completed(policy: Members): Members {
  return {
    healthyRetryPolicy: null,
    sicklyRetryPolicy: null,
    throttlePolicy: null,
    requestPolicy: null,
    guaranteed: false,
    ...policy,
  };
}

function contentTypeOf(request: unknown): string | undefined {
  const type = isMembers(request) ? request["headerContentType"] : undefined;
  return typeof type === "string" ? type : undefined;
}

function requireRetryPolicy(policy: unknown, where: string): void {
  if (!isMembers(policy)) throw wrong(where, "a retry policy must be an object");
  for (const [name, value] of Object.entries(policy)) {
    if (name === "backoffFunction") {
      if (!BACKOFF.has(value)) throw wrong(where, `backoffFunction ${String(value)} is unknown`);
      continue;
    }
    const [least, most] = BOUNDS[name] ?? [];
    if (least === undefined || most === undefined) throw wrong(where, `${name} is unknown`);
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
      throw wrong(where, `${name} must be between ${least} and ${most}`);
  }
  const { minDelayTarget, maxDelayTarget, ...counts } = { ...DEFAULT_RETRY_POLICY, ...policy };
  if (minDelayTarget > maxDelayTarget)
    throw wrong(where, "minDelayTarget must be less than or equal to maxDelayTarget");
  const phases = counts.numNoDelayRetries + counts.numMinDelayRetries + counts.numMaxDelayRetries;
  if (phases > counts.numRetries)
    throw wrong(where, "numRetries must be greater than or equal to the retries of all phases");
}

function requireRequestPolicy(policy: unknown, where: string): void {
  const type = contentTypeOf(policy);
  if (type === undefined || !CONTENT_TYPE.test(type))
    throw wrong(where, "headerContentType is not supported");
}

function requireThrottlePolicy(policy: unknown, where: string): void {
  const rate = isMembers(policy) ? policy["maxReceivesPerSecond"] : undefined;
  if (typeof rate !== "number" || !Number.isInteger(rate) || rate < 1)
    throw wrong(where, "maxReceivesPerSecond must be 1 or more");
}

function wrong(where: string, reason: string): Error {
  return snsErrors.parameter(`${where}DeliveryPolicy: ${reason}`);
}
