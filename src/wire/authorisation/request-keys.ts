import { hasPolicies, type Principal, type SessionTraits } from "#core/principal";
import type { ConditionKeys } from "#policy/keys";
import type { Asking, Question } from "./types.ts";

export interface KeySources {
  readonly asking: Asking;
  readonly question: Question;
  /** The account that owns the resource. */
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly principalTags: () => Readonly<Record<string, string>>;
  readonly resourceTags: () => Readonly<Record<string, string>> | undefined;
}

const PRINCIPAL_TYPES = {
  root: "Account",
  user: "User",
  "assumed-role": "AssumedRole",
  "federated-user": "FederatedUser",
  anonymous: "Anonymous",
} as const;

/**
 * The global condition keys of a call, and what its service adds (IAM user guide, "AWS global condition context keys").
 * Keys of things that do not exist here, such as organizations and VPC endpoints, are absent.
 */
export function requestKeys(sources: KeySources): ConditionKeys {
  const { asking, question } = sources;
  const { principal } = asking;
  return (name) => {
    const own = question.keys?.[name];
    if (own !== undefined) return typeof own === "string" ? [own] : own;
    if (!name.startsWith("aws:")) return oneOf(sessionKey(principal, name));
    const slash = name.indexOf("/");
    if (slash !== -1) return oneOf(tagKey(sources, name.slice(4, slash), name.slice(slash + 1)));
    return oneOf(globalKey(sources, name.slice(4)));
  };
}

function oneOf(value: string | undefined): readonly string[] | undefined {
  return value === undefined ? undefined : [value];
}

/** Keys of services that come with the credentials. */
function sessionKey(principal: Principal | undefined, name: string): string | undefined {
  const session = sessionOf(principal);
  if (name === "lambda:sourcefunctionarn") return session?.sourceFunctionArn;
  if (name === "sts:sourceidentity") return session?.sourceIdentity;
  return undefined;
}

function globalKey({ asking, owner, now }: KeySources, name: string): string | undefined {
  const { principal, headers } = asking;
  const session = sessionOf(principal);
  const service = principal?.kind === "service" ? principal : undefined;
  const user = principal?.kind === "service" ? undefined : principal;
  switch (name) {
    case "principalarn":
      // Of a session, its role: that is what policies name.
      return user?.kind === "assumed-role" ? user.roleArn : user?.arn;
    case "principalaccount":
      return user?.account;
    case "principaltype":
      return principal === undefined ? "Anonymous" : user && PRINCIPAL_TYPES[user.kind];
    case "principalisawsservice":
      return String(service !== undefined);
    case "principalservicename":
      return service?.service;
    case "userid":
      return user?.userId;
    case "username":
      return principal?.kind === "user" ? principal.userName : undefined;
    case "sourcearn":
      return service?.sourceArn;
    case "sourceaccount":
      return service?.sourceAccount;
    case "sourceowner":
      // Retired, but what lets alarms publish by the policy that every new topic has.
      return service?.service === "cloudwatch.amazonaws.com" ? service.sourceAccount : undefined;
    case "sourceidentity":
      return session?.sourceIdentity;
    case "federatedprovider":
      return session?.federatedProvider;
    case "tokenissuetime":
      return session === undefined ? undefined : isoTime(session.issuedAt);
    case "multifactorauthpresent":
      return session === undefined ? undefined : String(session.mfaAt !== undefined);
    case "multifactorauthage":
      return session?.mfaAt === undefined ? undefined : String(Math.floor((now() - session.mfaAt) / 1000));
    case "viaawsservice":
      return String(service !== undefined);
    case "sourceip":
      return asking.sourceIp;
    case "securetransport":
      return String(asking.baseUrl.startsWith("https:"));
    case "useragent":
      return headers["user-agent"];
    case "referer":
      return headers["referer"];
    case "requestedregion":
      return asking.region;
    case "resourceaccount":
      return owner;
    case "currenttime":
      return isoTime(now());
    case "epochtime":
      return String(Math.floor(now() / 1000));
    default:
      return undefined;
  }
}

function tagKey(sources: KeySources, kind: string, tag: string): string | undefined {
  if (kind === "principaltag") return tagValue(sources.principalTags(), tag);
  if (kind === "resourcetag") return tagValue(sources.resourceTags(), tag);
  return undefined;
}

/** Condition keys do not heed the case of a tag's key. */
function tagValue(tags: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  for (const [name, value] of Object.entries(tags ?? {})) if (name.toLowerCase() === key) return value;
  return undefined;
}

function sessionOf(principal: Principal | undefined): SessionTraits | undefined {
  return principal !== undefined && hasPolicies(principal) ? principal.session : undefined;
}

function isoTime(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/** `aws:RequestTag` and `aws:TagKeys` of the tags that a request sets. */
export function requestTagKeys(
  tags: Readonly<Record<string, string | undefined>> | undefined,
): Record<string, string | readonly string[] | undefined> {
  const entries = Object.entries(tags ?? {});
  if (entries.length === 0) return {};
  return {
    ...Object.fromEntries(
      entries.map(([key, value]) => [`aws:requesttag/${key.toLowerCase()}`, value ?? ""]),
    ),
    "aws:tagkeys": entries.map(([key]) => key),
  };
}

/** The same for services that list tags as key and value. */
export function tagListKeys(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Record<string, string | readonly string[] | undefined> {
  return requestTagKeys(Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key ?? "", Value ?? ""])));
}
