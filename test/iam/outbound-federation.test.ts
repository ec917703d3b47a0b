import { createPublicKey, verify, type JsonWebKey } from "node:crypto";
import {
  CreateRoleCommand,
  DisableOutboundWebIdentityFederationCommand,
  EnableOutboundWebIdentityFederationCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { GetWebIdentityTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, it } from "vitest";
import { clientFor, startPlatform } from "../support/platform.ts";
import { sessionOf } from "../support/principals.ts";

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const RoleArn = "arn:aws:iam::000000000000:role/caller";

/** STS as a role that may ask for tokens of up to five minutes, for one audience. */
async function asCaller(url: string): Promise<STSClient> {
  const iam = new IAMClient(clientFor(url));
  const trust = { Effect: "Allow", Principal: { AWS: "000000000000" }, Action: "sts:AssumeRole" };
  await iam.send(new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument: document(trust) }));
  const PolicyDocument = document({
    Effect: "Allow",
    Action: "sts:GetWebIdentityToken",
    Resource: "*",
    Condition: {
      "ForAllValues:StringEquals": { "sts:IdentityTokenAudience": "https://api.example" },
      NumericLessThanEquals: { "sts:DurationSeconds": 300 },
    },
  });
  await iam.send(new PutRolePolicyCommand({ RoleName: "caller", PolicyName: "p", PolicyDocument }));
  return new STSClient(await sessionOf(url, "caller"));
}

/** As a service elsewhere checks a token: by what the issuer publishes. */
async function verified(token: string, issuer: string): Promise<Record<string, unknown>> {
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`);
  const { issuer: name, jwks_uri: uri } = (await discovery.json()) as { issuer: string; jwks_uri: string };
  expect(name).toBe(issuer);
  const { keys } = (await (await fetch(uri)).json()) as { keys: (JsonWebKey & { kid: string })[] };
  const [head = "", body = "", signature = ""] = token.split(".");
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
  const { alg, kid } = read(head);
  const jwk = keys.find((key) => key.kid === kid);
  if (jwk === undefined) throw new Error("the issuer does not publish the token's key");
  const key = { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" } as const;
  const hash = alg === "RS256" ? "sha256" : "sha384";
  expect(verify(hash, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))).toBe(true);
  return read(body);
}

it("gives out tokens that services elsewhere can check, to those who may have them", async () => {
  const platform = await startPlatform();
  try {
    const sts = await asCaller(platform.url);
    const iam = new IAMClient(clientFor(platform.url));
    const ask = (more: object = {}) =>
      sts.send(
        new GetWebIdentityTokenCommand({
          Audience: ["https://api.example"],
          SigningAlgorithm: "RS256",
          ...more,
        }),
      );
    await expect(ask()).rejects.toMatchObject({ name: "OutboundWebIdentityFederationDisabledException" });
    const { IssuerIdentifier = "" } = await iam.send(new EnableOutboundWebIdentityFederationCommand({}));
    for (const SigningAlgorithm of ["RS256", "ES384"]) {
      const { WebIdentityToken = "" } = await ask({ SigningAlgorithm });
      expect(await verified(WebIdentityToken, IssuerIdentifier)).toMatchObject({
        iss: IssuerIdentifier,
        aud: "https://api.example",
        sub: RoleArn,
        "https://sts.amazonaws.com/": { aws_account: "000000000000" },
      });
    }
    await expect(ask({ Audience: ["https://other.example"] })).rejects.toThrow("sts:GetWebIdentityToken");
    await expect(ask({ DurationSeconds: 600 })).rejects.toThrow("sts:GetWebIdentityToken");
    const tagged = ask({ Tags: [{ Key: "k", Value: "v" }] });
    await expect(tagged).rejects.toThrow("sts:TagGetWebIdentityToken");
    await iam.send(new DisableOutboundWebIdentityFederationCommand({}));
    await expect(ask()).rejects.toMatchObject({ name: "OutboundWebIdentityFederationDisabledException" });
  } finally {
    await platform.stop();
  }
});
