import type { Tag } from "@aws-sdk/client-sts";
import type { ConditionKeys } from "#policy/keys";
import type { ServiceKeys } from "#wire/authorisation/types";
import type { IdToken } from "./token.ts";

const TAGS = "https://aws.amazon.com/tags";
const SOURCE_IDENTITY = "https://aws.amazon.com/source_identity";

/** What a token says of the session to be made (IAM user guide, "Pass session tags using AssumeRoleWithWebIdentity"). */
export interface TokenTraits {
  readonly tags: readonly Tag[];
  readonly transitiveKeys: readonly string[];
  readonly sourceIdentity: string | undefined;
}

export function traitsOf({ claims }: IdToken): TokenTraits {
  const { principal_tags: tags, transitive_tag_keys: transitive } = asObject(claims[TAGS]);
  const identity = claims[SOURCE_IDENTITY];
  return {
    tags: Object.entries(asObject(tags)).map(([Key, value]) => ({ Key, Value: String([value].flat()[0]) })),
    transitiveKeys: strings(transitive),
    sourceIdentity: typeof identity === "string" ? identity : undefined,
  };
}

/** Condition keys of a token's claims, `<issuer>:aud`, and those of the session that is asked for. */
export function tokenKeys(token: IdToken, provider: string, session: ServiceKeys): ConditionKeys {
  const issuer = provider.slice(provider.indexOf(":oidc-provider/") + ":oidc-provider/".length).toLowerCase();
  const own: ServiceKeys = {
    ...session,
    "aws:federatedprovider": provider,
    [`${issuer}:aud`]: token.audiences,
    [`${issuer}:oaud`]: strings(token.claims["aud"]),
    [`${issuer}:sub`]: token.subject,
    [`${issuer}:amr`]: strings(token.claims["amr"]),
  };
  return (name) => {
    const value = Object.hasOwn(own, name) ? own[name] : undefined;
    if (value === undefined) return undefined;
    return typeof value === "string" ? [value] : value;
  };
}

function strings(value: unknown): readonly string[] {
  return [value].flat().filter((one): one is string => typeof one === "string");
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
