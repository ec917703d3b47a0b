import { hasPolicies, type Principal } from "#core/principal";
import type { StatementOutcome } from "#policy/explain";
import type { Answered } from "./types.ts";

/** A permission that a role or a user asked for, added up. */
export interface Use {
  /** The role's or the user's ARN. */
  readonly holder: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  count: number;
  /** Epoch milliseconds. */
  last: number;
}

/** A refusal with all that was looked at. */
export interface ExplainedDenial {
  readonly time: number;
  readonly principal: string;
  readonly holder: string;
  readonly action: string;
  readonly resource: string;
  /** The denial's text. */
  readonly message: string;
  readonly looked: readonly (StatementOutcome & { readonly kind: string })[];
  /** What would allow it; undefined where a statement denies. */
  readonly missing: object | undefined;
}

const KEPT_USES = 5000;
const KEPT_DENIALS = 200;

/** What roles and users have asked for since the platform started: bounded, the oldest forgotten first. */
export class PermissionUsage {
  readonly #uses = new Map<string, Use>();
  readonly #denials: ExplainedDenial[] = [];

  record({ principal, question, decision, time }: Answered): void {
    const holder = holderOf(principal);
    if (holder === undefined) return;
    const { action, resource } = question;
    const key = `${holder}\n${action}\n${decision.allowed ? "+" : "-"}\n${resource}`;
    const known = this.#uses.get(key);
    if (known !== undefined) {
      known.count++;
      known.last = time;
      return;
    }
    if (this.#uses.size >= KEPT_USES) {
      const [oldest] = this.#uses.keys();
      if (oldest !== undefined) this.#uses.delete(oldest);
    }
    this.#uses.set(key, { holder, action, resource, allowed: decision.allowed, count: 1, last: time });
  }

  denied(denial: ExplainedDenial): void {
    this.#denials.push(denial);
    if (this.#denials.length > KEPT_DENIALS) this.#denials.shift();
  }

  uses(): readonly Use[] {
    return [...this.#uses.values()];
  }

  denials(): readonly ExplainedDenial[] {
    return this.#denials;
  }

  clear(): void {
    this.#uses.clear();
    this.#denials.length = 0;
  }
}

/** Whom policies are attached to: of a session, its role. */
export function holderOf(principal: Principal | undefined): string | undefined {
  if (principal === undefined || !hasPolicies(principal)) return undefined;
  if (principal.kind === "assumed-role") return principal.roleArn;
  return principal.kind === "federated-user" ? principal.issuer.arn : principal.arn;
}
