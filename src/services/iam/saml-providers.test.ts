import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { AwsError } from "#core/errors";
import { ensureBuilt } from "../../../test/support/built.ts";
import { testCall } from "../../../test/support/call.ts";
import { CERTIFICATE } from "../../../test/support/certificate.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accountOperations } from "./operations/account.ts";
import { samlProviderOperations } from "./operations/saml-providers.ts";
import { readSamlMetadata } from "./saml-metadata.ts";
import { createSamlThread } from "./saml-thread.ts";

const storage = withStorage();
const call = testCall();
const SAMLProviderArn = "arn:aws:iam::111111111111:saml-provider/idp";
const PrivateKey = generateKeyPairSync("ec", { namedCurve: "P-256" })
  .privateKey.export({ format: "pem", type: "pkcs8" })
  .toString();

function setUp() {
  const deps = iamDeps(storage().documents);
  return { clock: deps.clock, ...accountOperations(deps), ...samlProviderOperations(deps) };
}

const certificate = CERTIFICATE.replaceAll(/-----.*-----/g, "");

/** Metadata as providers publish it, with parts of it left out or changed. */
function metadata({
  attributes = 'entityID="https://idp.example/"',
  use = ' use="signing"',
  key = `<ds:X509Certificate>${certificate}</ds:X509Certificate>`,
  signOn = '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example/sso"/>',
} = {}): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ${attributes}>
  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor${use}><ds:KeyInfo><ds:X509Data>${key}</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified</md:NameIDFormat>
    ${signOn}
  </md:IDPSSODescriptor>
</md:EntityDescriptor>`;
}

it("reads long metadata in a thread, with the same errors", async () => {
  const url = pathToFileURL(join(await ensureBuilt(), "saml-worker.js"));
  const thread = createSamlThread(new ManualClock(), url);
  const key = `<ds:X509Certificate>${certificate}</ds:X509Certificate>`.repeat(200);
  const attributes = 'entityID="x" validUntil="2027-05-01T00:00:00Z"';
  const turns: string[] = [];
  const reading = thread.read(metadata({ attributes, key })).finally(() => turns.push("read"));
  setImmediate(() => turns.push("another turn"));
  expect(await reading).toEqual({ validUntil: Date.UTC(2027, 4, 1) });
  expect(turns).toEqual(["another turn", "read"]);
  await expect(thread.read(metadata({ key: `${key}<x>` }))).rejects.toMatchObject({
    code: "InvalidInput",
    message: "Could not parse metadata",
  });
  await thread.close();
}, 120_000);

it("keeps SAML providers with their metadata", async () => {
  const iam = setUp();
  const Tags = [{ Key: "k", Value: "v" }];
  const given = { Name: "idp", SAMLMetadataDocument: metadata(), Tags };
  expect(await iam.CreateSAMLProvider(given, call)).toEqual({ SAMLProviderArn, Tags });
  await expect(iam.CreateSAMLProvider({ ...given, Name: "IDP" }, call)).rejects.toThrow("IDP already exists");
  const found = await iam.GetSAMLProvider({ SAMLProviderArn }, call);
  expect(found).toMatchObject({ SAMLMetadataDocument: metadata(), Tags, PrivateKeyList: [] });
  expect(found.SAMLProviderUUID).toMatch(/^[A-Z0-9]{22,64}$/);
  expect(found.ValidUntil).toEqual(new Date("2126-01-01T00:00:00Z"));

  const until = metadata({ attributes: 'entityID="x" validUntil="2027-05-01T00:00:00Z"' });
  await iam.UpdateSAMLProvider({ SAMLProviderArn, SAMLMetadataDocument: until }, call);
  expect(await iam.ListSAMLProviders({}, call)).toEqual({
    SAMLProviderList: [
      { Arn: SAMLProviderArn, ValidUntil: new Date("2027-05-01T00:00:00Z"), CreateDate: found.CreateDate },
    ],
  });
  await iam.TagSAMLProvider({ SAMLProviderArn, Tags: [{ Key: "K", Value: "w" }] }, call);
  expect((await iam.ListSAMLProviderTags({ SAMLProviderArn }, call)).Tags).toEqual([
    { Key: "K", Value: "w" },
  ]);
  await iam.UntagSAMLProvider({ SAMLProviderArn, TagKeys: ["k"] }, call);
  expect((await iam.ListSAMLProviderTags({ SAMLProviderArn }, call)).Tags).toEqual([]);
  expect((await iam.GetAccountSummary({}, call)).SummaryMap).toMatchObject({ Providers: 1 });
  await iam.DeleteSAMLProvider({ SAMLProviderArn }, call);
  expect(() => iam.GetSAMLProvider({ SAMLProviderArn }, call)).toThrow(
    `Manifest not found for arn ${SAMLProviderArn}`,
  );
  expect((await iam.ListSAMLProviders({}, call)).SAMLProviderList).toEqual([]);
});

it("takes up to two private keys, and one at least where assertions must be encrypted", async () => {
  const iam = setUp();
  const given = {
    Name: "idp",
    SAMLMetadataDocument: metadata(),
    AssertionEncryptionMode: "Required",
  } as const;
  const invalid = { code: "InvalidInput" };
  await expect(iam.CreateSAMLProvider(given, call)).rejects.toMatchObject(invalid);
  await expect(iam.CreateSAMLProvider({ ...given, AddPrivateKey: "no key" }, call)).rejects.toMatchObject(
    invalid,
  );
  await iam.CreateSAMLProvider({ ...given, AddPrivateKey: PrivateKey }, call);
  await iam.UpdateSAMLProvider({ SAMLProviderArn, AddPrivateKey: PrivateKey }, call);
  const { PrivateKeyList = [], AssertionEncryptionMode } = await iam.GetSAMLProvider(
    { SAMLProviderArn },
    call,
  );
  expect([PrivateKeyList.length, AssertionEncryptionMode]).toEqual([2, "Required"]);
  const add = { SAMLProviderArn, AddPrivateKey: PrivateKey };
  await expect(iam.UpdateSAMLProvider(add, call)).rejects.toMatchObject({ code: "LimitExceeded" });
  const [first, second] = PrivateKeyList.map(({ KeyId }) => KeyId);
  await iam.UpdateSAMLProvider({ ...add, RemovePrivateKey: first }, call);
  await iam.UpdateSAMLProvider({ SAMLProviderArn, RemovePrivateKey: second }, call);
  const gone = { SAMLProviderArn, RemovePrivateKey: second };
  await expect(iam.UpdateSAMLProvider(gone, call)).rejects.toMatchObject({ code: "NoSuchEntity" });
});

it.each([
  ["text that is no XML", "x".repeat(1000)],
  ["a document type", metadata().replace("?>", '?><!DOCTYPE a [<!ENTITY b "c">]>')],
  ["no name", metadata({ attributes: "" })],
  ["a date that is none", metadata({ attributes: 'entityID="x" validUntil="soon"' })],
  ["no key to check signatures with", metadata({ use: ' use="encryption"' })],
  ["a certificate that is none", metadata({ key: "<ds:X509Certificate>AAAA</ds:X509Certificate>" })],
  ["nowhere to sign in", metadata({ signOn: "" })],
  ["a service provider's metadata", metadata().replaceAll("IDPSSODescriptor", "SPSSODescriptor")],
])("refuses metadata with %s", (_what, text) => {
  expect(() => readSamlMetadata(text)).toThrow("Could not parse metadata");
});

it("reads the keys that have no use given as signing keys, and refuses whatever else it is handed", () => {
  expect(readSamlMetadata(metadata({ use: "" }))).toMatchObject({
    entityId: "https://idp.example/",
    certificates: [{ subject: "CN=example.com" }],
  });
  const broken = fc.tuple(fc.nat(metadata().length), fc.nat(40), fc.string()).map(([at, length, by]) => {
    const text = metadata();
    return text.slice(0, at) + by + text.slice(at + length);
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), broken), (text) => {
      try {
        readSamlMetadata(text);
      } catch (error) {
        expect(error).toBeInstanceOf(AwsError);
      }
    }),
  );
});
