import { hasPolicies, type Principal, type RolePrincipal, type UserPrincipal } from "#core/principal";
import type { StatementOutcome } from "#policy/explain";
import type { DenialDetails } from "./denial-details.ts";
import type { Answered } from "./types.ts";

/** A permission that a role or a user asked for, added up. */
export interface Use {
  /** The role's or the user's ARN. */
  readonly holder: string;
  readonly action: string;
  readonly resource: string;
  readonly allowed: boolean;
  readonly count: number;
  /** When it was asked for first and last, in epoch milliseconds. */
  readonly first: number;
  readonly last: number;
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
  /** The account of whoever was refused. */
  readonly account: string;
  /** The denial as STS decodes it. */
  readonly details: DenialDetails;
}

/** When something was used last, and in which region. */
export interface LastUse {
  /** Epoch milliseconds. */
  time: number;
  region: string;
}

/** What a role or a user called, by action, such as `s3:GetObject`. */
export interface HolderCalls {
  readonly principal: RolePrincipal | UserPrincipal;
  readonly actions: Map<string, LastUse & { readonly name: string }>;
}

/** The last request that a user's long-term key signed. */
export interface KeyCall extends LastUse {
  /** Whose key it is. */
  readonly principal: UserPrincipal;
  /** What the action begins with, such as `s3`. */
  service: string;
}

/** What was called since the calls were last taken out. */
export interface Calls {
  /** By the role's or the user's id. */
  readonly holders: Map<string, HolderCalls>;
  /** By access key id. */
  readonly keys: Map<string, KeyCall>;
}

const KEPT_USES = 5000;
/** Numbers that a use takes: its permission's, how often, when first and when last. */
const WIDTH = 4;
const KEPT_DENIALS = 200;
/** Holders, and keys, beyond these are not noted until the calls were taken out. */
const KEPT_CALLERS = 20_000;

/**
 * What roles and users have asked for. Permissions and denials are those since the platform started: bounded, the oldest
 * forgotten first, those of whoever has the most. Calls are for IAM to take out now and then, and to keep.
 */
export class PermissionUsage {
  /** By holder, then by resource: some numbers for each permission, as an object for each takes three times the room. */
  readonly #uses = new Map<string, Map<string, number[]>>();
  #size = 0;
  /** Actions after `+` or `-`, as they were allowed or not; a use's first number is where its own stands here. */
  readonly #permissions = new Map<string, number>();
  readonly #denials: ExplainedDenial[] = [];
  #complete = true;
  #calls = noCalls();

  /**
   * Notes a call, whatever becomes of it. On the way of every request: some look-ups of short strings.
   * @param action the permission that it needs first, as the service spells it
   */
  called(operation: string, action: string, by: Principal, region: string, time: number): void {
    const principal = by.kind === "federated-user" ? by.issuer : by;
    if (principal.kind !== "user" && principal.kind !== "assumed-role") return;
    const { holders, keys } = this.#calls;
    const id = holderIdOf(principal);
    let holder = holders.get(id);
    if (holder === undefined) {
      if (holders.size >= KEPT_CALLERS) return;
      holder = { principal, actions: new Map() };
      holders.set(id, holder);
    }
    let last = holder.actions.get(action);
    if (last === undefined) {
      last = { name: spelled(operation, action), time, region };
      holder.actions.set(action, last);
    }
    last.time = time;
    last.region = region;
    if (principal.kind !== "user" || principal.accessKeyId === undefined) return;
    const service = last.name.slice(0, last.name.indexOf(":"));
    const key = keys.get(principal.accessKeyId);
    if (key === undefined) {
      if (keys.size < KEPT_CALLERS) keys.set(principal.accessKeyId, { principal, time, region, service });
      return;
    }
    key.time = time;
    key.region = region;
    key.service = service;
  }

  /** What has not been taken out. Read it at once. */
  get calls(): Calls {
    return this.#calls;
  }

  takeCalls(): Calls {
    const taken = this.#calls;
    this.#calls = noCalls();
    return taken;
  }

  /** Calls that were taken out and could not be kept; what was called meanwhile stands before them. */
  putBack({ holders, keys }: Calls): void {
    for (const [id, key] of keys) if (!this.#calls.keys.has(id)) this.#calls.keys.set(id, key);
    for (const [id, holder] of holders) {
      const since = this.#calls.holders.get(id);
      if (since === undefined) this.#calls.holders.set(id, holder);
      else
        for (const [action, last] of holder.actions)
          if (!since.actions.has(action)) since.actions.set(action, last);
    }
  }

  record({ principal, question, decision, time }: Answered): void {
    const holder = holderOf(principal);
    if (holder === undefined) return;
    const { action, resource } = question;
    const name = `${decision.allowed ? "+" : "-"}${action}`;
    let permission = this.#permissions.get(name);
    if (permission === undefined) this.#permissions.set(name, (permission = this.#permissions.size));
    let own = this.#uses.get(holder);
    if (own === undefined) this.#uses.set(holder, (own = new Map()));
    const numbers = own.get(resource) ?? [];
    for (let at = 0; at < numbers.length; at += WIDTH)
      if (numbers[at] === permission) {
        numbers[at + 1] = (numbers[at + 1] ?? 0) + 1;
        numbers[at + 3] = time;
        return;
      }
    // No spare room, as `push` would leave: most resources have few permissions, and for long.
    own.set(resource, numbers.concat([permission, 1, time, time]));
    if (++this.#size > KEPT_USES) this.#makeRoom();
  }

  /** A tenth of the largest holder's at once: to find that one takes time. */
  #makeRoom(): void {
    this.#complete = false;
    let [largest, resources] = ["", new Map<string, number[]>()];
    for (const [holder, own] of this.#uses)
      if (own.size > resources.size) [largest, resources] = [holder, own];
    let surplus = Math.ceil(resources.size / 10);
    for (const [oldest, numbers] of resources) {
      if (surplus-- === 0) break;
      resources.delete(oldest);
      this.#size -= numbers.length / WIDTH;
    }
    if (resources.size === 0) this.#uses.delete(largest);
  }

  denied(denial: ExplainedDenial): void {
    this.#denials.push(denial);
    if (this.#denials.length > KEPT_DENIALS) this.#denials.shift();
  }

  /** Whether nothing was forgotten yet. */
  get complete(): boolean {
    return this.#complete;
  }

  uses(): readonly Use[] {
    const permissions = [...this.#permissions.keys()];
    const uses: Use[] = [];
    for (const [holder, own] of this.#uses)
      for (const [resource, numbers] of own)
        for (let at = 0; at < numbers.length; at += WIDTH) {
          const [permission = 0, count = 0, first = 0, last = 0] = numbers.slice(at, at + WIDTH);
          const name = permissions[permission] ?? "";
          const allowed = name.startsWith("+");
          uses.push({ holder, action: name.slice(1), resource, allowed, count, first, last });
        }
    return uses;
  }

  denials(): readonly ExplainedDenial[] {
    return this.#denials;
  }

  clear(): void {
    this.#uses.clear();
    this.#permissions.clear();
    this.#size = 0;
    this.#denials.length = 0;
    this.#complete = true;
    this.#calls = noCalls();
  }
}

function noCalls(): Calls {
  return { holders: new Map(), keys: new Map() };
}

/** The id of a role or a user, which another one of the same name does not have: `AROA…`, `AIDA…`. */
export function holderIdOf(principal: RolePrincipal | UserPrincipal): string {
  const { kind, userId } = principal;
  return kind === "user" ? userId : userId.slice(0, userId.indexOf(":"));
}

/** Some services' denials spell their actions in their own way; IAM's reports have one. */
function spelled(operation: string, action: string): string {
  const [service = "", name = ""] = action.split(":");
  const isOwn = name.toLowerCase() === operation.toLowerCase();
  return `${service.toLowerCase()}:${isOwn ? operation : name}`;
}

/** Whom policies are attached to: of a session, its role. */
export function holderOf(principal: Principal | undefined): string | undefined {
  if (principal === undefined || !hasPolicies(principal)) return undefined;
  if (principal.kind === "assumed-role") return principal.roleArn;
  return principal.kind === "federated-user" ? principal.issuer.arn : principal.arn;
}
