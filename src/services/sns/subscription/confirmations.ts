import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents, QueueAppend } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import { elementsOf, type Scope, subscriptionArn, type TopicName } from "../arns.ts";
import { encodeCleanup } from "../delivery/cleanup.ts";
import { cleanupQueue } from "../delivery/queues.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { keys, type Protocol, type SubscriptionDocument, type TokenDocument } from "../store.ts";
import type { SubscriptionRegistry } from "./registry.ts";
import { newToken, requireToken } from "./tokens.ts";

/** Endpoints whose owner may be somebody else, who has to agree. */
const ASKED: ReadonlySet<Protocol> = new Set(["http", "https", "email", "email-json"]);

export interface ConfirmationsOptions {
  readonly documents: Documents;
  readonly registry: SubscriptionRegistry;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Puts a request to confirm on its way to the endpoint; resolves once it is on disk. */
  readonly send: (
    kind: "SubscriptionConfirmation" | "UnsubscribeConfirmation",
    to: TopicName & { readonly subscription: SubscriptionDocument; readonly token: string },
  ) => Promise<void>;
}

/** The handshake with endpoints: a token goes there, and whoever brings it back has agreed. */
export class Confirmations {
  readonly #options: ConfirmationsOptions;

  constructor(options: ConfirmationsOptions) {
    this.#options = options;
  }

  needed(protocol: Protocol): boolean {
    return ASKED.has(protocol);
  }

  /** Sends a new token to the endpoint of a pending subscription. */
  async ask(name: TopicName, subscription: SubscriptionDocument): Promise<void> {
    const { registry, ids, send } = this.#options;
    const token = newToken(ids, name.region);
    await registry.putToken(name, token, this.#tokenFor(subscription), over(name, token));
    await send("SubscriptionConfirmation", { ...name, subscription, token });
  }

  /**
   * Confirms by token, any number of times. The topic's name is not looked at, as AWS does not look at it (recorded).
   * @returns the subscription's ARN
   */
  async confirm(
    arn: string | undefined,
    token: string | undefined,
    call: CallContext,
    { signedUnsubscribe }: { readonly signedUnsubscribe: boolean },
  ): Promise<string> {
    const scope = requireTopicScope(arn, call);
    const text = requireToken(token, scope.region);
    const { documents, registry, clock } = this.#options;
    const found = documents.get<TokenDocument>(keys.token(scope, text))?.value;
    if (found === undefined || found.expires < clock.now()) throw snsErrors.parameter("Token");
    const signed = call.principal.kind !== "service";
    const subscription = registry.find(scope, found.subscriptionId)?.value;
    if (subscription === undefined) return this.#restore(scope, found);
    if (subscription.pending)
      await registry.update(scope, subscription.id, (current) => {
        if (current === undefined) throw snsErrors.parameter("Token");
        return {
          ...current,
          pending: false,
          authenticated: signed,
          ...(signedUnsubscribe && signed ? { signedUnsubscribe } : {}),
        };
      });
    return subscriptionArn({ ...scope, name: subscription.topicName, id: subscription.id });
  }

  /** Ends a subscription, and tells an HTTP endpoint so, with a token that brings it back. */
  async end(scope: Scope, id: string): Promise<void> {
    const { registry, ids, send } = this.#options;
    const token = newToken(ids, scope.region);
    const removed = await registry.remove(scope, id, (subscription) => {
      if (!isTold(subscription)) return { changes: [], appends: [] };
      const value: TokenDocument = { ...this.#tokenFor(subscription), restore: subscription };
      return { changes: [{ key: keys.token(scope, token), value }], appends: [over(scope, token)] };
    });
    if (removed === undefined || !isTold(removed)) return;
    const name = { ...scope, name: removed.topicName };
    await send("UnsubscribeConfirmation", { ...name, subscription: removed, token });
  }

  async #restore(scope: Scope, { restore }: TokenDocument): Promise<string> {
    if (restore === undefined) throw snsErrors.parameter("Token");
    await this.#options.registry.add(scope, restore);
    return subscriptionArn({ ...scope, name: restore.topicName, id: restore.id });
  }

  #tokenFor({ id }: SubscriptionDocument): TokenDocument {
    return { subscriptionId: id, expires: this.#options.clock.now() + LIMITS.tokenMs };
  }
}

/** Tokens do not stay for ever. */
function over(scope: Scope, token: string): QueueAppend {
  return {
    queue: cleanupQueue(scope),
    body: encodeCleanup({ kind: "token", token }),
    delayMs: LIMITS.tokenMs,
  };
}

function isTold({ protocol, pending }: SubscriptionDocument): boolean {
  return !pending && (protocol === "http" || protocol === "https");
}

/** Whatever is wrong with the topic's ARN is "Topic" here (recorded: test_subscribe_external_http_endpoint). */
function requireTopicScope(arn: string | undefined, call: CallContext): Scope {
  let elements: readonly string[];
  try {
    elements = elementsOf(arn ?? "", "Topic");
  } catch {
    throw snsErrors.parameter("Topic");
  }
  const [prefix, , service, region = "", account = ""] = elements;
  if (prefix !== "arn" || service !== "sns" || region !== call.region || elements.length !== 6)
    throw snsErrors.parameter("Topic");
  if (!/^\d{12}$/u.test(account)) throw snsErrors.parameter("Topic");
  return { account, region };
}
