import { type Principal, rootPrincipal } from "#core/principal";
import { Call } from "#wire/call";
import type { CallContext } from "#wire/operation";

/** What a test wants of its call; `account` is its root user's where it has no principal. */
type CallOptions = Partial<Omit<CallContext, "principal">> & { readonly principal?: Principal };

/**
 * A call as the pipeline makes them, by default of an account's root user in us-east-1. Its account and signal are
 * getters there, too: who spreads a call loses them.
 */
export function callOf({ account, responseHeaders, signal, ...details }: CallOptions = {}): CallContext {
  const call = new Call({
    requestId: "00000000-0000-4000-8000-000000000000",
    principal: rootPrincipal(account ?? "111111111111"),
    region: "us-east-1",
    receivedAt: 0,
    baseUrl: "http://127.0.0.1:4566",
    headers: {},
    source: { signal: signal ?? new AbortController().signal },
    ...details,
  });
  return responseHeaders === undefined ? call : Object.assign(call, { responseHeaders });
}

/** The call of an account's root user in us-east-1. */
export function testCall(account?: string): CallContext {
  return callOf(account === undefined ? {} : { account });
}
