import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock } from "#core/clock";
import { OperatorError } from "#core/errors";
import type { Ids } from "#core/ids";
import { type CertificateOptions, makeCertificate } from "#core/x509/certificate";
import type { TlsIdentity, TlsSource } from "./identity.ts";

const ONE_DAY_MS = 24 * 3_600_000;
const AUTHORITY_DAYS = 3650;
/** Some clients trust no longer ones. */
const SERVER_DAYS = 397;
const RENEWAL_DAYS = 30;

export interface OwnIdentityOptions {
  /** Holds nothing else; made where it is not there. Its files are their owner's alone. */
  readonly folder: string;
  /** Names and addresses that the certificate is for, asked at every look. */
  readonly names: () => readonly string[];
  readonly clock: Clock;
  readonly ids: Ids;
  /** Told when another authority takes the place of one that ends or was damaged: clients have to trust it anew. */
  readonly onReplaced?: (file: string) => void;
}

/** The authority that clients are to trust. */
export function authorityFile(folder: string): string {
  return join(folder, "ca.pem");
}

/**
 * A certificate of the platform's own: issued by an authority of its own, which stays for ten years, and issued anew a
 * month before it ends or when the platform got another name.
 */
export function ownIdentity(options: OwnIdentityOptions): TlsSource {
  const { folder, names, clock, onReplaced } = options;
  return {
    lookEveryMs: 3_600_000,
    async load() {
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const known = existsSync(authorityFile(folder));
        let authority = await readPair(folder, "ca");
        // The certificates that it issues must not outlive it.
        if (authority === undefined || !lasts(authority, clock, SERVER_DAYS + RENEWAL_DAYS)) {
          authority = await makePair(options, "ca", undefined);
          if (known) onReplaced?.(authorityFile(folder));
        }
        const kept = await readPair(folder, "server");
        if (kept !== undefined && isGood(kept, authority, names(), clock)) return kept.identity;
        return (await makePair(options, "server", authority)).identity;
      } catch (error) {
        throw new OperatorError(
          `The certificate in ${folder} can be neither read nor made: ${String(error)}`,
        );
      }
    },
  };
}

interface Pair {
  readonly identity: TlsIdentity;
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
}

/** @returns undefined where there is none, or one of two files was lost or damaged */
async function readPair(folder: string, name: "ca" | "server"): Promise<Pair | undefined> {
  try {
    const certificate = await readFile(join(folder, `${name}.pem`), "utf8");
    const privateKey = await readFile(join(folder, `${name}-key.pem`), "utf8");
    const pair = pairOf({ certificate, privateKey });
    return pair.certificate.checkPrivateKey(pair.privateKey) ? pair : undefined;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    // What may not be read is not to be replaced.
    if (syscall !== undefined && code !== "ENOENT") throw error;
    return undefined;
  }
}

function pairOf(identity: TlsIdentity): Pair {
  const certificate = new X509Certificate(identity.certificate);
  return { identity, certificate, privateKey: createPrivateKey(identity.privateKey) };
}

function lasts({ certificate }: Pair, clock: Clock, days: number): boolean {
  return Date.parse(certificate.validTo) - clock.now() > days * ONE_DAY_MS;
}

function isGood(pair: Pair, authority: Pair, names: readonly string[], clock: Clock): boolean {
  const { certificate } = pair;
  return (
    lasts(pair, clock, RENEWAL_DAYS) &&
    certificate.verify(authority.certificate.publicKey) &&
    names.every((name) => covers(certificate, name))
  );
}

/** Whether a certificate is for a name or an address; a wildcard is for itself alone. */
export function covers(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined;
  return name.startsWith("*.")
    ? certificate.subjectAltName?.split(", ").includes(`DNS:${name}`) === true
    : certificate.checkHost(name) !== undefined;
}

/** @param authority undefined where one is made */
async function makePair(
  { folder, names, clock, ids }: OwnIdentityOptions,
  name: "ca" | "server",
  authority: Pair | undefined,
): Promise<Pair> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const common = { publicKey, serial: Buffer.from(ids.hex(32), "hex"), from: clock.now() };
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  let certificate: CertificateOptions;
  if (authority === undefined) {
    // Each has a name of its own: clients may trust those of several platforms.
    const commonName = `Thaw ${ids.hex(8)}`;
    const issuer = { commonName, privateKey, publicKey };
    certificate = { ...common, commonName, issuer, use: "authority", names: [], days: AUTHORITY_DAYS };
  } else {
    const { subject, publicKey: authorityKey } = authority.certificate;
    const issuer = {
      commonName: subject.replace(/^CN=/, ""),
      privateKey: authority.privateKey,
      publicKey: authorityKey,
    };
    certificate = { ...common, commonName: "Thaw", issuer, use: "server", names: names(), days: SERVER_DAYS };
  }
  const identity = { certificate: makeCertificate(certificate), privateKey: pem };
  await writePrivately(join(folder, `${name}-key.pem`), pem);
  await writePrivately(join(folder, `${name}.pem`), identity.certificate);
  return pairOf(identity);
}

/** Whole or not at all, and never readable by others in between. */
async function writePrivately(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, file);
}
