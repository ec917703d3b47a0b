import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { iamErrors } from "./errors.ts";

const TYPE = "ssh-rsa";
/** "The minimum bit-length of the public key is 2048 bits" (IAM API reference, UploadSSHPublicKey). */
const MIN_BITS = 2048;

/**
 * Reads an RSA key, in OpenSSH's form or in PEM.
 * @returns the key as SSH sends it (RFC 4253, section 6.6), and what stands behind it in OpenSSH's form
 * @throws AwsError UnrecognizedPublicKeyEncoding, InvalidPublicKey
 */
export function readSshPublicKey(body: string): { readonly blob: Buffer; readonly comment: string } {
  const text = body.trim();
  const [type = "", base64 = "", ...comment] = text.split(/[ \t]+/);
  if (text.startsWith("-----BEGIN")) return { blob: blobOf(requireLong(fromPem(text))), comment: "" };
  if (type !== TYPE) throw iamErrors.sshEncoding();
  const blob = Buffer.from(base64, "base64");
  // Written again, it must be the same: nothing may stand behind it, or be left out.
  if (!blobOf(requireLong(fromBlob(blob))).equals(blob)) throw iamErrors.sshKeyInvalid();
  return { blob, comment: comment.join(" ") };
}

/** The key in OpenSSH's form. */
export function sshOf(blob: Buffer, comment: string): string {
  return [TYPE, blob.toString("base64"), ...(comment === "" ? [] : [comment])].join(" ");
}

/** The key in PEM. */
export function pemOf(blob: Buffer): string {
  return fromBlob(blob).export({ format: "pem", type: "spki" }).toString();
}

/** As `ssh-keygen -E md5 -l` shows it, without the word MD5. */
export function fingerprintOf(blob: Buffer): string {
  const digest = createHash("md5").update(blob).digest("hex");
  return digest.match(/../g)?.join(":") ?? "";
}

function fromPem(pem: string): KeyObject {
  try {
    // Of a private key it would take the public half.
    if (pem.includes("PRIVATE")) throw new Error("a private key");
    return createPublicKey(pem);
  } catch {
    throw iamErrors.sshKeyInvalid();
  }
}

function fromBlob(blob: Buffer): KeyObject {
  const [type, e, n] = fieldsOf(blob);
  if (type?.toString() !== TYPE || e === undefined || n === undefined) throw iamErrors.sshKeyInvalid();
  try {
    const jwk = { kty: "RSA", e: e.toString("base64url"), n: withoutSign(n).toString("base64url") };
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    throw iamErrors.sshKeyInvalid();
  }
}

function blobOf(key: KeyObject): Buffer {
  const { e = "", n = "" } = key.export({ format: "jwk" });
  const fields = [Buffer.from(TYPE), ...[e, n].map((field) => withSign(Buffer.from(field, "base64url")))];
  return Buffer.concat(fields.flatMap((field) => [lengthOf(field), field]));
}

/** Fields with their lengths before them, as SSH writes them (RFC 4251, section 5). */
function fieldsOf(blob: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length;) {
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) return [];
    fields.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return fields;
}

function lengthOf(field: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return length;
}

/** Numbers are signed: one whose first bit is set has a zero before it. */
function withSign(bytes: Buffer): Buffer {
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
}

function withoutSign(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function requireLong(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || bits < MIN_BITS) throw iamErrors.sshKeyInvalid();
  return key;
}
