import { rootPrincipal } from "#core/principal";
import type { CallContext } from "#wire/operation";

/** The call of an account's root user in us-east-1. */
export function testCall(account = "111111111111"): CallContext {
  return {
    requestId: "00000000-0000-4000-8000-000000000000",
    principal: rootPrincipal(account),
    account,
    region: "us-east-1",
    receivedAt: 0,
    baseUrl: "http://127.0.0.1:4566",
    headers: {},
    responseHeaders: {},
    signal: new AbortController().signal,
  };
}
