import { type PreparedEvent, prepareEvent } from "#patterns/event/event";
import { isMembers } from "../json.ts";
import type { SubscriptionDocument } from "../store.ts";
import { passes } from "../subscription/filter-policy.ts";
import type { Filters } from "../subscription/filters.ts";
import { filterable } from "./attributes.ts";
import { type PublishedMessage, textFor } from "./message.ts";

/** Asks of one message which subscriptions it passes; it is read once, however many there are. */
export class Matching {
  readonly #message: PublishedMessage;
  readonly #filters: Filters;
  #attributes: PreparedEvent | undefined;
  readonly #bodies = new Map<string, PreparedEvent | undefined>();

  constructor(message: PublishedMessage, filters: Filters) {
    this.#message = message;
    this.#filters = filters;
  }

  passes({ attributes, protocol }: SubscriptionDocument): boolean {
    const filter = this.#filters.of(attributes);
    if (filter === undefined) return true;
    this.#attributes ??= filterable(this.#message.attributes);
    const body = filter.scope === "MessageBody" ? this.#body(textFor(this.#message, protocol)) : undefined;
    return passes(filter, { attributes: this.#attributes, body });
  }

  #body(text: string): PreparedEvent | undefined {
    if (!this.#bodies.has(text)) this.#bodies.set(text, bodyOf(text));
    return this.#bodies.get(text);
  }
}

/** Undefined where it is no JSON object: such a message matches no policy of a body. */
function bodyOf(text: string): PreparedEvent | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isMembers(value) ? prepareEvent(value) : undefined;
  } catch {
    return undefined;
  }
}
