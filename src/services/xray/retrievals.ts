import type { Ids } from "#core/ids";
import type { Scope } from "./scope.ts";

/** Of one account and region at once; the oldest makes way. */
const MOST = 100;

export interface Retrieval {
  readonly traceIds: readonly string[];
  /** Epoch milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
  cancelled: boolean;
}

/** Traces that were asked for, by token. Nothing is fetched ahead: they are read when they are listed. */
export class Retrievals {
  readonly #ids: Ids;
  readonly #byScope = new Map<string, Map<string, Retrieval>>();

  constructor(ids: Ids) {
    this.#ids = ids;
  }

  start({ account, region }: Scope, retrieval: Omit<Retrieval, "cancelled">): string {
    const key = `${account} ${region}`;
    const own = this.#byScope.get(key) ?? new Map<string, Retrieval>();
    this.#byScope.set(key, own);
    const token = this.#ids.uuid();
    own.set(token, { ...retrieval, cancelled: false });
    const [oldest] = own.keys();
    if (own.size > MOST && oldest !== undefined) own.delete(oldest);
    return token;
  }

  find({ account, region }: Scope, token: string): Retrieval | undefined {
    return this.#byScope.get(`${account} ${region}`)?.get(token);
  }

  reset(): void {
    this.#byScope.clear();
  }
}
