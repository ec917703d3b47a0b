import type { CompiledPolicy, Statement } from "./compile.ts";
import type { Closeness } from "./principals.ts";
import type { VerdictCache } from "./verdict-cache.ts";
import type { PolicyRequest, Verdict } from "./verdict.ts";

const RANK = { account: 1, role: 2, direct: 3 } as const;

/** These change while nothing else does, so that answers which depend on them are never kept. */
const VOLATILE = ["aws:currenttime", "aws:epochtime", "aws:multifactorauthage"];

/** Policies that are read together: all of a principal's, or a resource's one. */
export class PolicySet {
  readonly policies: readonly CompiledPolicy[];
  readonly #keys: readonly string[];
  readonly #namesPrincipals: boolean;
  readonly #cache: VerdictCache | undefined;
  readonly #id: string;

  /** Without a cache every answer is worked out anew. */
  constructor(policies: readonly CompiledPolicy[], cache?: VerdictCache) {
    this.policies = policies;
    const keys = new Set(policies.flatMap((policy) => [...policy.keys]));
    this.#keys = [...keys];
    this.#namesPrincipals = policies.some(({ statements }) =>
      statements.some(({ principal }) => principal !== undefined),
    );
    this.#cache = VOLATILE.some((key) => keys.has(key)) ? undefined : cache;
    this.#id = this.#cache?.nextId() ?? "";
  }

  /** Whether some statement denies something to somebody. */
  get denies(): boolean {
    return this.policies.some(({ statements }) => statements.some(({ effect }) => effect === "Deny"));
  }

  verdict(request: PolicyRequest): Verdict {
    if (this.#cache === undefined) return judge(this.policies, request);
    const question = this.#questionOf(request);
    const known = this.#cache.get(question);
    if (known !== undefined) return known;
    const verdict = judge(this.policies, request);
    this.#cache.set(question, verdict);
    return verdict;
  }

  /** All that an answer depends on, in one text. What a client may choose stands after its length. */
  #questionOf({ action, resource, requester, keys }: PolicyRequest): string {
    let question = `${this.#id}\n${action}\n${resource.length}:${resource}`;
    if (this.#namesPrincipals)
      question += `\n${requester.kind}\n${requester.account}\n${requester.arn}\n${
        requester.kind === "role" ? requester.roleArn : ""
      }${requester.kind === "service" ? (requester.regionalName ?? "") : ""}${requester.kind === "federated-user" ? requester.userArn : ""}`;
    for (const name of this.#keys) {
      const values = keys(name);
      if (values === undefined) question += "\n-";
      else for (const value of values) question += `\n${value.length}:${value}`;
      question += "\n.";
    }
    return question;
  }
}

function judge(policies: readonly CompiledPolicy[], request: PolicyRequest): Verdict {
  let allow: Statement | undefined;
  let closeness: Closeness | undefined;
  for (const { statements } of policies)
    for (const statement of statements) {
      // One that allows less closely than what is found already changes nothing.
      if (statement.effect === "Allow" && closeness === "direct") continue;
      const found = applies(statement, request);
      if (found === undefined) continue;
      if (statement.effect === "Deny") return { deny: statement, allow: undefined, closeness: undefined };
      if (closeness === undefined || RANK[found] > RANK[closeness]) [allow, closeness] = [statement, found];
    }
  return { deny: undefined, allow, closeness };
}

/** How closely a statement that applies names the requester; `undefined` where it does not apply. */
export function applies(statement: Statement, request: PolicyRequest): Closeness | undefined {
  if (!statement.concernsAction(request.action)) return undefined;
  const closeness = statement.principal === undefined ? "direct" : statement.principal(request.requester);
  if (closeness === undefined || !statement.concernsResource(request.resource, request.keys))
    return undefined;
  const { conditions } = statement;
  if (conditions === undefined) return statement.effect === "Deny" ? closeness : undefined;
  for (const condition of conditions) if (!condition.holds(request.keys)) return undefined;
  return closeness;
}
