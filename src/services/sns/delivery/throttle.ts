import type { Clock } from "#core/clock";
import { TokenBucket } from "#engine/concurrency/token-bucket";
import type { SubscriptionDocument, TopicDocument } from "../store.ts";
import { isHttp } from "../subscription/attributes.ts";
import { applied } from "../topic/delivery-policy.ts";

/** Rates of subscriptions that have not been used for long are forgotten, all at once. */
const MOST = 1000;

/** Holds HTTP endpoints to the rate that their delivery policy asks for: `maxReceivesPerSecond`. */
export class Throttle {
  readonly #clock: Clock;
  readonly #rates = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a place for one delivery. @returns 0, or the milliseconds after which to ask again */
  wait({ id, protocol, attributes }: SubscriptionDocument, topic: TopicDocument | undefined): number {
    const { DeliveryPolicy: own = "" } = attributes;
    if (!isHttp(protocol) || own === "") return 0;
    const { perSecond } = applied(own, topic?.attributes["DeliveryPolicy"] || undefined);
    if (perSecond === undefined) return 0;
    let rate = this.#rates.get(id);
    if (rate === undefined) {
      rate = new TokenBucket(perSecond, perSecond);
      if (this.#rates.size >= MOST) this.#rates.clear();
      this.#rates.set(id, rate);
    } else rate.resize(perSecond, perSecond);
    return Math.ceil(rate.take(this.#clock.monotonic()));
  }
}
