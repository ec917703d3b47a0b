import { createHmac, randomBytes } from "node:crypto";
import type { Documents } from "#storage/documents";

const KEY = ["platform", "global", "key"] as const;

/** The key that seals session tokens and signs links, 32 bytes: made once for a data folder. */
export async function platformKey(documents: Documents): Promise<Buffer> {
  const found = documents.get<string>(KEY);
  if (found !== undefined) return Buffer.from(found.value, "base64");
  const key = randomBytes(32);
  await keepKey(documents, key);
  return key;
}

export async function keepKey(documents: Documents, key: Buffer): Promise<void> {
  await documents.commit([{ key: KEY, value: key.toString("base64") }]);
}

export function derivedKey(key: Buffer, purpose: string): Buffer {
  return createHmac("sha256", key).update(purpose).digest();
}
