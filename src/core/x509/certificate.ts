import { createHash, type KeyObject, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  boolean,
  integer,
  namedBits,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  time,
  utf8String,
} from "./der.ts";

const OID = {
  sha256WithRsa: "1.2.840.113549.1.1.11",
  sha256WithEcdsa: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

const ONE_DAY_MS = 24 * 3_600_000;

/** A name with its keys: RSA, or a curve of ECDSA's. */
export interface Issuer {
  readonly commonName: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface CertificateOptions {
  readonly commonName: string;
  readonly publicKey: KeyObject;
  /** Who signs it; of a certificate that is signed by itself, itself. */
  readonly issuer: Issuer;
  /** What it is good for: being a server, signing messages, or issuing certificates of servers. */
  readonly use: "server" | "signing" | "authority";
  /** DNS names, with `*` in place of a first label or without, and addresses. */
  readonly names: readonly string[];
  /** Up to 19 bytes. */
  readonly serial: Uint8Array;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly days: number;
}

/** Makes an X.509 certificate (RFC 5280), as PEM. node:crypto reads them only. */
export function makeCertificate(options: CertificateOptions): string {
  const { issuer, serial, from, days } = options;
  const algorithm =
    issuer.privateKey.asymmetricKeyType === "rsa"
      ? sequence(objectIdentifier(OID.sha256WithRsa), Buffer.from([0x05, 0x00]))
      : sequence(objectIdentifier(OID.sha256WithEcdsa));
  const body = sequence(
    // Version 3 is written 2.
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    distinguishedName(issuer.commonName),
    // Clocks of those who check it may be a little off.
    sequence(time(from - ONE_DAY_MS), time(from + days * ONE_DAY_MS)),
    distinguishedName(options.commonName),
    spki(options.publicKey),
    tagged(3, sequence(...extensions(options))),
  );
  const certificate = sequence(body, algorithm, bitString(sign("sha256", body, issuer.privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function distinguishedName(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
}

/** Key identifiers are there because clients that check strictly (Python from 3.13 on) demand them. */
function extensions({ use, names, publicKey, issuer }: CertificateOptions): Buffer[] {
  const authority = use === "authority";
  // An authority's certificates are those of servers, never another authority's: a path length of 0.
  const constraints = authority ? sequence(boolean(true), integer(Buffer.from([0]))) : sequence();
  // keyCertSign and cRLSign, or digitalSignature
  const usage = namedBits(authority ? 0x06 : 0x80);
  return [
    extension(OID.basicConstraints, constraints, true),
    extension(OID.keyUsage, usage, true),
    ...(use === "server"
      ? [extension(OID.extendedKeyUsage, sequence(objectIdentifier(OID.serverAuth)), false)]
      : []),
    ...(names.length === 0
      ? []
      : [extension(OID.subjectAltName, sequence(...names.map(generalName)), false)]),
    extension(OID.subjectKeyIdentifier, octetString(keyIdentifier(publicKey)), false),
    extension(OID.authorityKeyIdentifier, sequence(tagged(0, keyIdentifier(issuer.publicKey), false)), false),
  ];
}

function extension(id: string, content: Uint8Array, critical: boolean): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(content));
}

function generalName(name: string): Buffer {
  return isIP(name) === 0
    ? tagged(2, Buffer.from(name, "ascii"), false)
    : tagged(7, addressBytes(name), false);
}

/** 4 bytes of IPv4, 16 of IPv6. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // As URLs write it: the last four bytes in groups, too, and no zone.
  const canonical = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail = ""] = canonical.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array<string>(8 - first.length - last.length).fill("0");
  const digits = [...first, ...zeros, ...last].map((group) => group.padStart(4, "0")).join("");
  return Buffer.from(digits, "hex");
}

function spki(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** Any value that tells keys apart will do (RFC 5280, 4.2.1.2); this is the first method of RFC 7093 over the whole key. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha256").update(spki(key)).digest().subarray(0, 20);
}
