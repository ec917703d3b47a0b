import { parseArn } from "#core/arn";
import { accountOfAccessKey } from "#core/access-key-id";
import { hasPolicies, type Principal, type SessionTraits, type UserPrincipal } from "#core/principal";
import { compilePolicy, type CompiledPolicy } from "#policy/compile";
import { NO_POLICIES, type RequesterPolicies } from "#policy/decide";
import type { ConditionKeys } from "#policy/keys";
import type { PolicyDocument as TrustDocument } from "#policy/document";
import { parsePolicy } from "#policy/grammar";
import { PolicySet } from "#policy/policy-set";
import type { VerdictCache } from "#policy/verdict-cache";
import type { Documents } from "#storage/documents";
import type { PrincipalSource } from "#wire/authorisation/types";
import type { SigningCredentials } from "#wire/auth/types";
import { findManagedPolicy, managedPolicyDocument } from "./managed-policies.ts";
import {
  keys,
  REGION,
  roleArn,
  userArn,
  valuesUnder,
  type AccessKeyDocument,
  type AttachmentDocument,
  type HolderKind,
  type InlinePolicyDocument,
  type PolicyDocument,
  type PolicyVersionDocument,
  type RoleDocument,
  type Tags,
  type UserDocument,
} from "./store.ts";

/** A role or user with what its sessions have in common. */
interface Holder {
  readonly id: string;
  readonly tags: Tags;
  readonly identity: PolicySet;
  readonly boundary: PolicySet | undefined;
  readonly arn: string;
  /** Of a role: who may assume it. */
  readonly trust: { readonly document: TrustDocument; readonly policy: PolicySet } | undefined;
}

/** What is known of an account, until something of its IAM changes. */
interface AccountState {
  readonly holders: Map<string, Holder | undefined>;
  readonly managed: Map<string, CompiledPolicy | undefined>;
  readonly keys: Map<string, SigningCredentials>;
  readonly decided: WeakMap<Principal, RequesterPolicies>;
}

/** What STS needs to know of a role. */
export interface RoleFacts {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly maxSessionSeconds: number;
}

export interface Principals extends PrincipalSource {
  /** The role of just this ARN. */
  roleOf(arn: string): RoleFacts | undefined;
  /** Whether an ARN names a managed policy that an account can use. */
  hasPolicy(account: string, arn: string): boolean;
  /** Whether there is a role or a user of just this ARN. */
  hasHolder(arn: string): boolean;
  /** The long-term key of a user, if it is active. */
  findKey(accessKeyId: string): SigningCredentials | undefined;
  /** Whether temporary credentials are still worth something: their user or role is there, and the same. */
  isCurrent(principal: Principal): boolean;
  /** Whether a role is there and its trust policy lets an AWS service assume it for a resource. */
  assumableBy(service: string, roleArn: string, sourceArn: string): boolean;
  /** Whether a role is there and its trust policy lets somebody whom an identity provider vouches for do all of `actions`. */
  trustsFederated(
    roleArn: string,
    actions: readonly string[],
    provider: string,
    keys: ConditionKeys,
  ): boolean;
  /** The policy that says who may assume a role; `undefined` where there is no role of just this ARN. */
  trustDocumentOf(roleArn: string): TrustDocument | undefined;
  /** Another object whenever anything of an account's IAM has changed: for what keeps answers of its own. */
  revisionOf(account: string): object;
  /** Forgets all; call after the storage was emptied. */
  reset(): void;
  close(): void;
}

/** Documents that change without any decision changing. */
const IRRELEVANT: ReadonlySet<unknown> = new Set([
  "last-used",
  "access-report",
  "saml-provider",
  "saml-metadata",
  "token-issuer",
]);

/** Beyond this many, holders of an account are forgotten and compiled anew when they come again. */
const KEPT_HOLDERS = 5000;

/**
 * Principals and their policies, compiled when they first ask. Everything of an account is forgotten at once when
 * anything of its IAM changes, so that a revoked permission is refused on the very next request.
 */
export function createPrincipals({
  documents,
  cache,
}: {
  readonly documents: Documents;
  readonly cache: VerdictCache;
}): Principals {
  const accounts = new Map<string, AccountState>();
  const watches: (() => void)[] = [];
  /** AWS's own policies are the same for all. */
  const ofAws = new Map<string, CompiledPolicy>();

  function stateOf(account: string): AccountState {
    const known = accounts.get(account);
    if (known !== undefined) return known;
    const state: AccountState = {
      holders: new Map(),
      managed: new Map(),
      keys: new Map(),
      decided: new WeakMap(),
    };
    accounts.set(account, state);
    return state;
  }

  const watched = new Set<string>();
  function watch(account: string): void {
    if (watched.has(account)) return;
    watched.add(account);
    watches.push(
      documents.watch([account, REGION], ({ key }) => {
        if (!IRRELEVANT.has(key[2])) accounts.delete(account);
      }),
    );
  }

  function managedPolicy(account: string, arn: string): CompiledPolicy | undefined {
    const aws = findManagedPolicy(arn);
    if (aws !== undefined) {
      const known = ofAws.get(arn) ?? compileText(arn, managedPolicyDocument(aws));
      ofAws.set(arn, known);
      return known;
    }
    const { managed } = stateOf(account);
    if (!managed.has(arn)) managed.set(arn, readManaged(account, arn));
    return managed.get(arn);
  }

  function readManaged(account: string, arn: string): CompiledPolicy | undefined {
    const name = arn.slice(arn.lastIndexOf("/") + 1);
    const policy = documents.get<PolicyDocument>(keys.policy(account, name))?.value;
    if (policy === undefined) return undefined;
    const key = [...keys.versions(account, policy.name), policy.defaultVersion] as const;
    const version = documents.get<PolicyVersionDocument>(key)?.value;
    return version === undefined ? undefined : compileText(arn, version.document);
  }

  function policiesUnder(account: string, kind: HolderKind, name: string): CompiledPolicy[] {
    return [
      ...Array.from(
        valuesUnder<InlinePolicyDocument>(documents, keys.inline(account, kind, name)),
        (inline) => compileText(inline.name, inline.document),
      ),
      ...Array.from(
        valuesUnder<AttachmentDocument>(documents, keys.attached(account, kind, name)),
        ({ policyArn }) => managedPolicy(account, policyArn),
      ).filter((policy) => policy !== undefined),
    ];
  }

  function holderOf(account: string, kind: "role" | "user", name: string): Holder | undefined {
    const { holders } = stateOf(account);
    const key = `${kind}/${name}`;
    if (!holders.has(key)) {
      const holder = readHolder(account, kind, name);
      if (holders.size >= KEPT_HOLDERS) holders.clear();
      holders.set(key, holder);
    }
    return holders.get(key);
  }

  function readHolder(account: string, kind: "role" | "user", name: string): Holder | undefined {
    const key = kind === "role" ? keys.role(account, name) : keys.user(account, name);
    const holder = documents.get<RoleDocument | UserDocument>(key)?.value;
    if (holder === undefined || holder.name !== name) return undefined;
    const groups =
      kind === "role"
        ? []
        : Array.from(documents.list(keys.memberships(account, name)), (membership) =>
            String(membership.key.at(-1)),
          );
    const policies = [
      ...policiesUnder(account, kind, name),
      ...groups.flatMap((group) => policiesUnder(account, "group", group)),
    ];
    const { permissionsBoundary: boundary } = holder;
    return {
      id: holder.id,
      tags: holder.tags,
      arn: kind === "role" ? roleArn(account, holder) : userArn(account, holder),
      trust: "assumeRolePolicy" in holder ? trustPolicy(holder.assumeRolePolicy) : undefined,
      identity: new PolicySet(policies, cache),
      boundary: boundary === undefined ? undefined : setOf([managedPolicy(account, boundary)]),
    };
  }

  function trustPolicy(text: string): NonNullable<Holder["trust"]> {
    const document = parsePolicy(text, "trust");
    return { document, policy: new PolicySet([compilePolicy("trust policy", document)], cache) };
  }

  function trustOf(arn: string): Holder["trust"] {
    const account = parseArn(arn)?.account;
    // Callers may name any account: nothing is kept or watched of those without such a role.
    if (account === undefined || documents.get(keys.role(account, roleNameOf(arn))) === undefined)
      return undefined;
    watch(account);
    const role = holderOf(account, "role", roleNameOf(arn));
    return role?.arn === arn ? role.trust : undefined;
  }

  function setOf(policies: readonly (CompiledPolicy | undefined)[]): PolicySet {
    return new PolicySet(
      policies.filter((policy) => policy !== undefined),
      cache,
    );
  }

  function holderFor(principal: Principal): Holder | undefined {
    const { account } = principal;
    if (principal.kind === "user") {
      const holder = holderOf(account, "user", principal.userName);
      return holder?.id === principal.userId ? holder : undefined;
    }
    if (principal.kind !== "assumed-role") return undefined;
    const { userId } = principal;
    const holder = holderOf(account, "role", roleNameOf(principal.roleArn));
    // A role that was made anew under the same name is another one.
    return holder !== undefined && userId.startsWith(`${holder.id}:`) ? holder : undefined;
  }

  /** Session policies; a federated user without any may nothing. */
  function sessionSet(
    account: string,
    session: SessionTraits | undefined,
    always: boolean,
  ): PolicySet | undefined {
    const { policies = [], policyArns = [] } = session ?? {};
    if (policies.length + policyArns.length === 0 && !always) return undefined;
    return setOf([
      ...policies.map((text) => compileText("session policy", text)),
      ...policyArns.map((arn) => managedPolicy(account, arn)),
    ]);
  }

  function work(principal: Principal): RequesterPolicies | undefined {
    if (!hasPolicies(principal)) return NO_POLICIES;
    const issuer = principal.kind === "federated-user" ? principal.issuer : principal;
    const holder = holderFor(issuer);
    if (holder === undefined && issuer.kind !== "root") return undefined;
    return {
      identity: holder?.identity ?? EVERYTHING,
      boundary: holder?.boundary,
      session: sessionSet(principal.account, principal.session, principal.kind === "federated-user"),
    };
  }

  function policiesOf(principal: Principal): RequesterPolicies | undefined {
    if (!hasPolicies(principal)) return NO_POLICIES;
    const known = accounts.get(principal.account)?.decided.get(principal);
    if (known !== undefined) return known;
    watch(principal.account);
    const policies = work(principal);
    if (policies !== undefined) stateOf(principal.account).decided.set(principal, policies);
    return policies;
  }

  return {
    policiesOf,
    isCurrent: (principal) => policiesOf(principal) !== undefined,
    tagsOf(principal) {
      if (!hasPolicies(principal)) return {};
      const issuer = principal.kind === "federated-user" ? principal.issuer : principal;
      // Tags of a session stand before its role's of the same key.
      return { ...holderFor(issuer)?.tags, ...principal.session?.tags };
    },
    findKey(accessKeyId) {
      const account = accountOfAccessKey(accessKeyId);
      if (account === undefined) return undefined;
      const known = accounts.get(account)?.keys.get(accessKeyId);
      if (known !== undefined) return known;
      const found = documents.get<AccessKeyDocument>(keys.accessKey(account, accessKeyId))?.value;
      if (found?.active !== true) return undefined;
      const user = documents.get<UserDocument>(keys.user(account, found.user))?.value;
      if (user === undefined) return undefined;
      const principal: UserPrincipal = {
        kind: "user",
        account,
        arn: userArn(account, user),
        userId: user.id,
        userName: user.name,
        accessKeyId,
      };
      const credentials = { secretAccessKey: found.secret, principal, loopbackOnly: false };
      watch(account);
      stateOf(account).keys.set(accessKeyId, credentials);
      return credentials;
    },
    roleOf(arn) {
      const account = parseArn(arn)?.account;
      const role =
        account === undefined
          ? undefined
          : documents.get<RoleDocument>(keys.role(account, roleNameOf(arn)))?.value;
      if (account === undefined || role === undefined || roleArn(account, role) !== arn) return undefined;
      return { id: role.id, arn, name: role.name, maxSessionSeconds: role.maxSessionSeconds };
    },
    hasPolicy: (account, arn) => managedPolicy(account, arn) !== undefined,
    hasHolder(arn) {
      const { account = "", resource = "" } = parseArn(arn) ?? {};
      const name = roleNameOf(arn);
      if (resource.startsWith("user/")) {
        const user = documents.get<UserDocument>(keys.user(account, name))?.value;
        return user !== undefined && userArn(account, user) === arn;
      }
      const role = documents.get<RoleDocument>(keys.role(account, name))?.value;
      return role !== undefined && roleArn(account, role) === arn;
    },
    trustDocumentOf: (arn) => trustOf(arn)?.document,
    assumableBy(service, arn, sourceArn) {
      const trust = trustOf(arn);
      const account = parseArn(arn)?.account ?? "";
      if (trust === undefined) return false;
      const keys: Readonly<Record<string, string>> = {
        "aws:sourcearn": sourceArn,
        "aws:sourceaccount": account,
        "aws:principalservicename": service,
        "aws:principalisawsservice": "true",
      };
      const { deny, allow } = trust.policy.verdict({
        action: "sts:assumerole",
        resource: arn,
        requester: { kind: "service", account, arn: service },
        keys: (name) => (keys[name] === undefined ? undefined : [keys[name]]),
      });
      return deny === undefined && allow !== undefined;
    },
    trustsFederated(arn, actions, provider, keysOf) {
      const trust = trustOf(arn);
      if (trust === undefined) return false;
      const requester = { kind: "federated", account: parseArn(arn)?.account ?? "", arn: provider } as const;
      return actions.every((action) => {
        const { deny, allow } = trust.policy.verdict({ action, resource: arn, requester, keys: keysOf });
        return deny === undefined && allow !== undefined;
      });
    },
    revisionOf(account) {
      watch(account);
      return stateOf(account);
    },
    reset() {
      accounts.clear();
    },
    close() {
      for (const stop of watches) stop();
      accounts.clear();
    },
  };
}

/** What a root may who asks for credentials of a federated user: all that the session's own policies leave. */
const EVERYTHING = new PolicySet([
  compilePolicy("root", {
    Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "*", Resource: "*" },
  }),
]);

/** Documents were checked when they were stored. */
function compileText(id: string, text: string): CompiledPolicy {
  return compilePolicy(id, parsePolicy(text, "identity"));
}

/** The role's name that an ARN ends with; its path does not make it another one. */
function roleNameOf(roleArn: string): string {
  return (parseArn(roleArn)?.resource ?? roleArn).split("/").at(-1) ?? "";
}
