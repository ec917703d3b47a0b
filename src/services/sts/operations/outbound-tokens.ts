import { sign } from "node:crypto";
import type * as client from "@aws-sdk/client-sts";
import type { Principal } from "#core/principal";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { StsDeps } from "../deps.ts";
import { stsErrors } from "../errors.ts";
import { sessionTags } from "../session-tags.ts";

type Sts = typeof client;

const DEFAULT_SECONDS = 300;
const HASHES = { RS256: "sha256", ES384: "sha384" } as const;

/** Tokens that tell services elsewhere who the caller is, signed by its account. */
export function outboundTokenOperations({ clock, ids, roles, issuerOf }: StsDeps) {
  const GetWebIdentityToken: Handler<Sts, "GetWebIdentityToken"> = (input, call) => {
    const algorithm = input.SigningAlgorithm ?? "";
    if (algorithm !== "RS256" && algorithm !== "ES384") throw stsErrors.signingAlgorithm(algorithm);
    if ((input.SubjectMode ?? "AWSIdentity") !== "AWSIdentity" || input.Scope !== undefined)
      throw stsErrors.noOriginIdentity();
    const issuer = issuerOf(call.account);
    if (issuer === undefined) throw stsErrors.federationDisabled();
    const issued = Math.floor(clock.now() / 1000);
    const expires = issued + (input.DurationSeconds ?? DEFAULT_SECONDS);
    const sessionEnd = sessionOf(call.principal)?.expiresAt;
    if (sessionEnd !== undefined && expires * 1000 > sessionEnd) throw stsErrors.longerThanSession();
    const { tags } = sessionTags(input.Tags, undefined, undefined);
    const [only = "", ...more] = input.Audience ?? [];
    const { id: kid, privateKey } = issuer.keys[algorithm];
    const signed = [
      { typ: "JWT", alg: algorithm, kid },
      {
        iss: issuer.issuer,
        aud: more.length === 0 ? only : [only, ...more],
        sub: subjectOf(call.principal),
        iat: issued,
        exp: expires,
        jti: ids.uuid(),
        "https://sts.amazonaws.com/": identity(call, tags),
      },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
    const signature = sign(HASHES[algorithm], Buffer.from(signed), key).toString("base64url");
    return { WebIdentityToken: `${signed}.${signature}`, Expiration: new Date(expires * 1000) };
  };

  /** Claims of AWS's own (IAM user guide, "Understanding token claims"); those that have no value are left out. */
  function identity(
    { account, region, principal }: CallContext,
    requestTags: Readonly<Record<string, string>>,
  ) {
    const session = sessionOf(principal);
    return {
      aws_account: account,
      source_region: region,
      principal_id: subjectOf(principal),
      original_session_exp: session?.expiresAt && new Date(session.expiresAt).toISOString(),
      federated_provider: session?.federatedProvider,
      lambda_source_function_arn: session?.sourceFunctionArn,
      principal_tags: unlessEmpty(roles.tagsOf(principal)),
      request_tags: unlessEmpty(requestTags),
    };
  }

  return { GetWebIdentityToken } satisfies OperationsOf<Sts>;
}

/** Of a role's session, the role. */
function subjectOf(principal: Principal): string {
  return principal.kind === "assumed-role" ? principal.roleArn : principal.arn;
}

function sessionOf(principal: Principal) {
  return "session" in principal ? principal.session : undefined;
}

function unlessEmpty<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
