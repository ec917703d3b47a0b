import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { createSessions } from "#wire/auth/sessions";
import { callOf, testCall } from "../../../test/support/call.ts";
import { outboundTokenOperations } from "./operations/outbound-tokens.ts";
import { readToken, requireSignature } from "./web-identity/token.ts";

const call = testCall();
const { account } = call;
const clock = new ManualClock();
const KEYS = {
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  ES384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
};
const pem = (key: (typeof KEYS)["RS256"]) => key.export({ format: "pem", type: "pkcs8" }).toString();
const issuer = {
  issuer: "https://issuer.example",
  keys: {
    RS256: { id: "r", privateKey: pem(KEYS.RS256) },
    ES384: { id: "e", privateKey: pem(KEYS.ES384) },
  },
};
const published = Object.entries(issuer.keys).map(([, { id, privateKey }]) => ({
  ...createPublicKey(privateKey).export({ format: "jwk" }),
  kid: id,
}));
const sessions = createSessions({ key: Buffer.alloc(32), clock, ids });
const { GetWebIdentityToken } = outboundTokenOperations({
  clock,
  ids,
  sessions,
  roles: {
    roleOf: () => undefined,
    hasPolicy: () => false,
    trustsFederated: () => false,
    tagsOf: () => ({ team: "blue" }),
  },
  mfa: { check: () => "unknown", use: () => Promise.resolve("unknown") },
  providerOf: () => undefined,
  keySource: { keysOf: () => Promise.resolve([]) },
  issuerOf: (of) => (of === account ? issuer : undefined),
  messages: { decode: () => undefined },
  enforced: true,
});

/** The principal that credentials of a role's session speak for. */
function session(durationMs: number) {
  const roleArn = `arn:aws:iam::${account}:role/path/r`;
  const traits = { sourceFunctionArn: "arn:aws:lambda:us-east-1:111111111111:function:f" };
  const minted = sessions.mint({ account, roleArn, roleId: "AROA", sessionName: "s", durationMs, traits });
  const opened = sessions.open(minted.accessKeyId, minted.sessionToken);
  if (opened === undefined || opened === "expired") throw new Error("no session");
  return opened.principal;
}

it.each(["RS256", "ES384"] as const)(
  "signs by %s who the caller is, for whom it is asked to",
  async (SigningAlgorithm) => {
    const input = { Audience: ["https://api.example"], SigningAlgorithm, Tags: [{ Key: "job", Value: "7" }] };
    const answer = await GetWebIdentityToken(input, callOf({ principal: session(3_600_000) }));
    const token = readToken(answer.WebIdentityToken ?? "");
    requireSignature(token, published);
    const now = clock.now() / 1000;
    expect(token.claims).toEqual({
      iss: "https://issuer.example",
      aud: "https://api.example",
      sub: `arn:aws:iam::${account}:role/path/r`,
      iat: now,
      exp: now + 300,
      jti: expect.any(String) as string,
      "https://sts.amazonaws.com/": {
        aws_account: account,
        source_region: "us-east-1",
        principal_id: `arn:aws:iam::${account}:role/path/r`,
        original_session_exp: "2026-01-01T01:00:00.000Z",
        lambda_source_function_arn: "arn:aws:lambda:us-east-1:111111111111:function:f",
        principal_tags: { team: "blue" },
        request_tags: { job: "7" },
      },
    });
    expect(answer.Expiration).toEqual(new Date((now + 300) * 1000));
  },
);

it("signs for several at once", async () => {
  const input = { Audience: ["a", "b"], SigningAlgorithm: "ES384", DurationSeconds: 60 };
  const { WebIdentityToken = "" } = await GetWebIdentityToken(input, call);
  expect(readToken(WebIdentityToken).audiences).toEqual(["a", "b"]);
});

it.each([
  ["another algorithm", { SigningAlgorithm: "HS256" }, call, "ValidationError"],
  [
    "an account that has not enabled it",
    {},
    testCall("222222222222"),
    "OutboundWebIdentityFederationDisabledException",
  ],
  [
    "a token that outlives its session",
    {},
    callOf({ principal: session(299_000) }),
    "SessionDurationEscalationException",
  ],
  ["an identity of origin", { SubjectMode: "OriginIdentity" } as const, call, "ValidationError"],
  [
    "tags that stand twice",
    { Tags: [1, 2].map(() => ({ Key: "k", Value: "v" })) },
    call,
    "InvalidParameterValue",
  ],
])("refuses %s", (_what, input, by, code) => {
  const ask = () => GetWebIdentityToken({ Audience: ["a"], SigningAlgorithm: "RS256", ...input }, by);
  expect(ask).toThrow(expect.objectContaining({ code }));
});
