import { X509Certificate } from "node:crypto";
import { MalformedXml, parseXml, type XmlElement } from "#wire/protocols/xml/parse";
import { iamErrors } from "./errors.ts";

/** What counts of a SAML 2.0 identity provider's metadata (OASIS, "Metadata for SAML 2.0"). */
export interface SamlMetadata {
  readonly entityId: string;
  /** Epoch milliseconds, where it says so. */
  readonly validUntil: number | undefined;
  /** Of the keys that it signs with; at least one. */
  readonly certificates: readonly X509Certificate[];
}

/** What is kept of it beside its text. */
export type SamlValidity = Pick<SamlMetadata, "validUntil">;

export function validityOf({ validUntil }: SamlMetadata): SamlValidity {
  return { validUntil };
}

/**
 * Reads the metadata of one identity provider: its name, the certificates that it signs with, and where people sign in.
 * @throws AwsError InvalidInput
 */
export function readSamlMetadata(text: string): SamlMetadata {
  const root = parse(text);
  const provider = childrenOf(root, "IDPSSODescriptor")[0];
  const entityId = root.attributes.get("entityID");
  const until = root.attributes.get("validUntil");
  const validUntil = until === undefined ? undefined : Date.parse(until);
  if (root.name !== "EntityDescriptor" || provider === undefined || entityId === undefined || entityId === "")
    throw iamErrors.samlMetadata();
  if (validUntil !== undefined && Number.isNaN(validUntil)) throw iamErrors.samlMetadata();
  const certificates = childrenOf(provider, "KeyDescriptor")
    .filter(({ attributes }) => (attributes.get("use") ?? "signing") === "signing")
    .flatMap((key) => childrenOf(key, "KeyInfo", "X509Data", "X509Certificate"))
    .map((certificate) => certificateOf(certificate.text));
  const signIn = childrenOf(provider, "SingleSignOnService").some(({ attributes }) =>
    attributes.has("Location"),
  );
  if (certificates.length === 0 || !signIn) throw iamErrors.samlMetadata();
  return { entityId, validUntil, certificates };
}

function parse(text: string): XmlElement {
  try {
    return parseXml(Buffer.from(text));
  } catch (error) {
    throw error instanceof MalformedXml ? iamErrors.samlMetadata() : error;
  }
}

/** The elements at the end of a path of local names. */
function childrenOf(element: XmlElement, ...path: readonly string[]): readonly XmlElement[] {
  return path.reduce<readonly XmlElement[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
}

function certificateOf(base64: string): X509Certificate {
  try {
    return new X509Certificate(Buffer.from(base64, "base64"));
  } catch {
    throw iamErrors.samlMetadata();
  }
}
