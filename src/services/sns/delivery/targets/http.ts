import { lookup as dnsLookup, type LookupAddress } from "node:dns";
import { type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import type { Clock } from "#core/clock";
import { subscriptionArn } from "../../arns.ts";
import { LIMITS } from "../../limits.ts";
import { type Notice, notificationJson } from "../../message/notification.ts";
import type { SubscriptionDocument } from "../../store.ts";
import { applied } from "../../topic/delivery-policy.ts";
import { DeliveryFailure } from "../failure.ts";
import { isRaw, type Target } from "./target.ts";

/** POSTs a body to an address. @throws DeliveryFailure where it does not take it */
export type Post = (
  endpoint: string,
  headers: Readonly<Record<string, string>>,
  body: string,
  reach: Reach,
) => Promise<void>;

/** What an endpoint may be: whoever runs the platform may name any, a function none that only this host reaches. */
export type Reach = "anywhere" | "not this host";

export function httpTarget(post: Post): Target {
  return ({ subscription, topic, notice, message }) => {
    const { attributes, endpoint } = subscription;
    const policy = applied(
      attributes["DeliveryPolicy"] || undefined,
      topic?.attributes["DeliveryPolicy"] || undefined,
    );
    const raw = isRaw(subscription);
    return post(
      endpoint,
      {
        ...noticeHeaders(notice),
        "x-amz-sns-subscription-arn": subscriptionArn({ ...message, id: subscription.id }),
        ...(raw ? { "x-amz-sns-rawdelivery": "true" } : {}),
        "Content-Type": policy.contentType,
      },
      raw ? notice.message : notificationJson(notice),
      reachOf(subscription),
    );
  };
}

/** Sends a request to confirm, always as text and never raw (recorded: test_subscribe_external_http_endpoint). */
export function postConfirmation(
  post: Post,
  of: { readonly subscription: SubscriptionDocument; readonly notice: Notice; readonly arn: string },
): Promise<void> {
  const { subscription, notice, arn } = of;
  const ended = notice.type === "UnsubscribeConfirmation";
  return post(
    subscription.endpoint,
    {
      ...noticeHeaders(notice),
      ...(ended ? { "x-amz-sns-subscription-arn": arn } : {}),
      "Content-Type": "text/plain; charset=UTF-8",
    },
    notificationJson(notice),
    reachOf(subscription),
  );
}

function noticeHeaders(notice: Notice): Record<string, string> {
  return {
    "x-amz-sns-message-type": notice.type,
    "x-amz-sns-message-id": notice.messageId,
    "x-amz-sns-topic-arn": notice.topicArn,
    "User-Agent": "Amazon Simple Notification Service Agent",
    "Accept-Encoding": "gzip,deflate",
  };
}

function reachOf({ principal }: SubscriptionDocument): Reach {
  return principal.includes(":assumed-role/") ? "not this host" : "anywhere";
}

/**
 * Posts once, without following redirects. "All 5XX errors and 429 are retryable; all other errors are permanent"
 * (developer guide, "HTTP/S delivery retries"), and so is a connection that fails or an answer that takes 15 s.
 * @param options `own` is the platform's own address: functions behind its URLs may be reached by anyone, its controls by
 * nobody
 */
export function createPost({ own, clock }: { readonly own: () => string; readonly clock: Clock }): Post {
  return async (endpoint, headers, body, reach) => {
    const url = new URL(endpoint);
    const itself = URL.canParse(own()) && new URL(own()).port === url.port;
    if (itself && url.pathname.startsWith("/_thaw"))
      throw new DeliveryFailure("the platform's own controls are no endpoint", { permanent: true });
    const anywhere = reach === "anywhere" || isFunctionUrl(url, itself);
    const status = await send({ url, headers, body, anywhere, clock });
    if (status >= 200 && status < 300) return;
    throw new DeliveryFailure(`HTTP ${status}`, { permanent: status < 500 && status !== 429 });
  };
}

function isFunctionUrl(url: URL, itself: boolean): boolean {
  return itself && url.hostname.includes(".lambda-url.");
}

function send(of: {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly anywhere: boolean;
  readonly clock: Clock;
}): Promise<number> {
  const { url, headers, body, anywhere, clock } = of;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(
        error instanceof DeliveryFailure
          ? error
          : new DeliveryFailure(String(error), { permanent: false, cause: error }),
      );
    const literal = url.hostname.replaceAll(/[[\]]/gu, "");
    if (!anywhere && isOfThisHost(literal)) return fail(unreachable(literal));
    const length = String(Buffer.byteLength(body));
    const start = url.protocol === "https:" ? httpsRequest : httpRequest;
    const outgoing = start(url, {
      method: "POST",
      headers: { ...headers, "Content-Length": length },
      agent: false,
      lookup: lookupWith(anywhere),
    });
    const timer = clock.after(LIMITS.httpTimeoutMs, () =>
      outgoing.destroy(new Error("the endpoint did not answer in time")),
    );
    outgoing.on("close", () => timer.cancel());
    outgoing.on("error", fail);
    outgoing.on("response", (response) => readAnswer(outgoing, response, resolve));
    outgoing.end(body);
    return undefined;
  });
}

/** Nobody reads what an endpoint answers, but it is let finish, within bounds. */
function readAnswer(
  outgoing: ClientRequest,
  response: IncomingMessage,
  done: (status: number) => void,
): void {
  const { statusCode = 0 } = response;
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LIMITS.httpAnswerBytes) outgoing.destroy();
  });
  response.on("close", () => done(statusCode));
}

/**
 * Resolves a name. Names below `localhost` are this host's (RFC 6761), though not every resolver knows it; function URLs
 * are such names. Where this host may not be reached, its addresses are refused here, at the last moment before they are
 * used: what a name means can change between two looks.
 */
function lookupWith(anywhere: boolean): LookupFunction {
  return (hostname, options, callback) => {
    const name = /(?:^|\.)localhost\.?$/iu.test(hostname) ? "127.0.0.1" : hostname;
    dnsLookup(name, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) return callback(error, "");
      const own = anywhere ? undefined : addresses.find(({ address }) => isOfThisHost(address));
      if (own !== undefined) return callback(unreachable(own.address), "");
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      return callback(null, first?.address ?? "", first?.family);
    });
  };
}

/** Loopback, unspecified and link-local addresses: what is there listens for this host alone. */
const THIS_HOST = new BlockList();
THIS_HOST.addSubnet("127.0.0.0", 8);
THIS_HOST.addSubnet("0.0.0.0", 8);
THIS_HOST.addSubnet("169.254.0.0", 16);
THIS_HOST.addSubnet("fe80::", 10, "ipv6");
THIS_HOST.addAddress("::1", "ipv6");
THIS_HOST.addAddress("::", "ipv6");

/** IPv4 addresses in the clothes of IPv6 are what they are. */
function isOfThisHost(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && THIS_HOST.check(address, family === 4 ? "ipv4" : "ipv6");
}

function unreachable(address: string): DeliveryFailure {
  return new DeliveryFailure(`a function may not have the platform call ${address}`, { permanent: true });
}
