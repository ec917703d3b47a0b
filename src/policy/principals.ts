import { listOf, type PrincipalElement } from "./document.ts";
import type { Requester } from "./requester.ts";

/**
 * How closely a policy names somebody: `account` delegates to the account, whose own policies must allow as well;
 * `role` names the role of a session; `direct` names the very one who asks, or everybody.
 */
export type Closeness = "account" | "role" | "direct";

export type PrincipalMatch = (requester: Requester) => Closeness | undefined;

const ACCOUNT = /^(?:arn:aws[a-z-]*:iam::)?(\d{12})(?::root)?$/;

/** Compiles a `Principal` element (IAM user guide, "AWS JSON policy elements: Principal"). */
export function compilePrincipal(element: PrincipalElement): PrincipalMatch {
  if (element === "*") return () => "direct";
  const names = (kind: string) => new Set(listOf(element[kind]));
  const [aws, services, federated] = [names("AWS"), names("Service"), names("Federated")];
  if (aws.has("*")) return () => "direct";
  const accounts = new Set([...aws].flatMap((name) => ACCOUNT.exec(name)?.[1] ?? []));
  return (requester) => {
    if (requester.kind === "service") {
      const { arn, regionalName } = requester;
      const named = services.has(arn) || (regionalName !== undefined && services.has(regionalName));
      return named ? "direct" : undefined;
    }
    if (requester.kind === "federated")
      return federated.has(requester.arn) || federated.has("*") ? "direct" : undefined;
    if (requester.kind === "anonymous") return undefined;
    if (aws.has(requester.arn)) return "direct";
    if (requester.kind === "role" && aws.has(requester.roleArn)) return "role";
    if (requester.kind === "federated-user" && aws.has(requester.userArn)) return "role";
    if (!accounts.has(requester.account)) return undefined;
    return requester.kind === "root" ? "direct" : "account";
  };
}

/**
 * Compiles a `NotPrincipal` element: everybody but those named. Naming an account exempts its root alone, or else a
 * policy that locks out all but one user, which must name the user's account too, would lock out nobody there.
 */
export function compileNotPrincipal(element: PrincipalElement): PrincipalMatch {
  const named = compilePrincipal(element);
  return (requester) => {
    const closeness = named(requester);
    return closeness === undefined || closeness === "account" ? "direct" : undefined;
  };
}
