import type { Attributes } from "../store.ts";
import { filterScope, hasFilter } from "./attributes.ts";
import { type Filter, requireFilter } from "./filter-policy.ts";

/** Compiled filters are remembered by their text: most messages meet the same ones. */
const MOST = 1000;

/** Compiles the filters of subscriptions, each once. */
export class Filters {
  readonly #known = new Map<string, Filter>();

  of(attributes: Attributes): Filter | undefined {
    if (!hasFilter(attributes)) return undefined;
    const { FilterPolicy: text = "" } = attributes;
    const scope = filterScope(attributes);
    const key = `${scope} ${text}`;
    let filter = this.#known.get(key);
    if (filter === undefined) {
      filter = requireFilter(text, scope);
      if (this.#known.size >= MOST) this.#known.clear();
      this.#known.set(key, filter);
    }
    return filter;
  }
}
