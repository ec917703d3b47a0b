import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { outboundFederationOperations } from "./operations/outbound-federation.ts";
import { findTokenIssuer, publishedAt } from "./token-issuer.ts";

const storage = withStorage();
const call = testCall();
const { baseUrl } = call;

it("keeps an account's issuer and its keys, however often it is enabled", async () => {
  const { documents } = storage();
  const iam = outboundFederationOperations(iamDeps(documents));
  const disabled = { code: "FeatureDisabled" };
  expect(() => iam.GetOutboundWebIdentityFederationInfo({}, call)).toThrow("is not enabled");
  await expect(iam.DisableOutboundWebIdentityFederation({}, call)).rejects.toMatchObject(disabled);
  const { IssuerIdentifier = "" } = await iam.EnableOutboundWebIdentityFederation({}, call);
  await expect(iam.EnableOutboundWebIdentityFederation({}, call)).rejects.toMatchObject({
    code: "FeatureEnabled",
  });
  expect(await iam.GetOutboundWebIdentityFederationInfo({}, call)).toEqual({
    IssuerIdentifier,
    JwtVendingEnabled: true,
  });
  await iam.DisableOutboundWebIdentityFederation({}, call);
  expect(() => iam.GetOutboundWebIdentityFederationInfo({}, call)).toThrow("is not enabled");
  expect(await iam.EnableOutboundWebIdentityFederation({}, call)).toEqual({ IssuerIdentifier });
});

it("makes one issuer where it is enabled twice at a time", async () => {
  const { documents } = storage();
  const iam = outboundFederationOperations(iamDeps(documents));
  const made = await Promise.allSettled([
    iam.EnableOutboundWebIdentityFederation({}, call),
    iam.EnableOutboundWebIdentityFederation({}, call),
  ]);
  expect(made.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  const { IssuerIdentifier } = await iam.GetOutboundWebIdentityFederationInfo({}, call);
  expect(made).toContainEqual({ status: "fulfilled", value: { IssuerIdentifier } });
});

it("publishes what tokens are checked with, and no private key", async () => {
  const { documents } = storage();
  const iam = outboundFederationOperations(iamDeps(documents));
  const { IssuerIdentifier = "" } = await iam.EnableOutboundWebIdentityFederation({}, call);
  const path = `${IssuerIdentifier.replace(baseUrl, "")}/.well-known/`;
  expect(publishedAt(documents, `${path}openid-configuration`)).toMatchObject({
    issuer: IssuerIdentifier,
    jwks_uri: `${IssuerIdentifier}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ["RS256", "ES384"],
  });
  const { keys } = findTokenIssuer(documents, call.account)?.value ?? {};
  const published = publishedAt(documents, `${path}jwks.json`);
  expect(published).toMatchObject({
    keys: [
      { kty: "RSA", alg: "RS256", use: "sig", kid: keys?.RS256.id },
      { kty: "EC", crv: "P-384", alg: "ES384", use: "sig", kid: keys?.ES384.id },
    ],
  });
  expect(JSON.stringify(published)).not.toMatch(/"(?:d|p|q)":/);
  await iam.DisableOutboundWebIdentityFederation({}, call);
  expect(publishedAt(documents, `${path}jwks.json`)).toEqual(published);
  for (const wrong of ["jwks.json/", "other", "../jwks.json"])
    expect(publishedAt(documents, path + wrong)).toBeUndefined();
  expect(
    publishedAt(documents, `/_thaw/issuers/${call.account}/other/.well-known/jwks.json`),
  ).toBeUndefined();
});
