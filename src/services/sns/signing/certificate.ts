import { type KeyObject, sign } from "node:crypto";
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
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  keyUsage: "2.5.29.15",
  basicConstraints: "2.5.29.19",
} as const;

const ONE_DAY_MS = 24 * 3_600_000;

export interface CertificateOptions {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  /** Up to 19 bytes. */
  readonly serial: Uint8Array;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly days: number;
}

/** Makes an X.509 certificate (RFC 5280) of an RSA key, signed by itself, as PEM. node:crypto reads them only. */
export function selfSignedCertificate(options: CertificateOptions): string {
  const { privateKey, publicKey, commonName, dnsNames, serial, from, days } = options;
  const algorithm = sequence(objectIdentifier(OID.sha256WithRsa), Buffer.from([0x05, 0x00]));
  const name = sequence(set(sequence(objectIdentifier(OID.commonName), utf8String(commonName))));
  const extensions = sequence(
    extension(OID.basicConstraints, sequence(), true),
    // digitalSignature
    extension(OID.keyUsage, namedBits(0x80), true),
    extension(
      OID.subjectAltName,
      sequence(...dnsNames.map((dns) => tagged(2, Buffer.from(dns, "ascii"), false))),
      false,
    ),
  );
  const body = sequence(
    // Version 3 is written 2.
    tagged(0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    name,
    // Clocks of those who check it may be a little off.
    sequence(time(from - ONE_DAY_MS), time(from + days * ONE_DAY_MS)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, extensions),
  );
  const certificate = sequence(body, algorithm, bitString(sign("sha256", body, privateKey)));
  const lines = certificate.toString("base64").match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, content: Uint8Array, critical: boolean): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(content));
}
