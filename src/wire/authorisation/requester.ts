import type { Principal } from "#core/principal";
import { ANONYMOUS, type Requester } from "#policy/requester";

/** A principal as policies see it. The same object for the same principal: it is asked for with every request. */
export class Requesters {
  readonly #known = new WeakMap<Principal, Requester>();

  of(principal: Principal): Requester {
    const known = this.#known.get(principal);
    if (known !== undefined) return known;
    const requester = requesterOf(principal);
    this.#known.set(principal, requester);
    return requester;
  }
}

export function requesterOf(principal: Principal): Requester {
  const { kind, account, arn } = principal;
  if (kind === "assumed-role") return { kind: "role", account, arn, roleArn: principal.roleArn };
  if (kind === "federated-user") return { kind, account, arn, userArn: principal.issuer.arn };
  if (kind === "service") return { kind, account, arn, regionalName: principal.regionalName };
  if (kind === "anonymous") return ANONYMOUS;
  return { kind, account, arn };
}
