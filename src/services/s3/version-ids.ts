import { hash } from "node:crypto";
import type { Ids } from "#core/ids";

/** The place of a key's first version; each newer one takes the next lower number. */
export const NEWEST_FIRST = 2 ** 52;

/** Seven bytes of place, fourteen random ones and three of check: 32 characters, as many as AWS's ids have. */
const FORM = /^[A-Za-z0-9._]{32}$/;
const CHECKED = 21;

/** An id that nobody can guess and that says where its version lies. */
export function newVersionId(order: number, ids: Ids): string {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(order));
  const bytes = Buffer.concat([place.subarray(1), Buffer.from(ids.hex(28), "hex")]);
  return Buffer.concat([bytes, check(bytes)])
    .toString("base64url")
    .replaceAll("-", ".");
}

/** The place that an id says; `undefined` where no version ever had such an id. */
export function orderOf(versionId: string): number | undefined {
  if (!FORM.test(versionId)) return undefined;
  const bytes = Buffer.from(versionId.replaceAll(".", "-"), "base64url");
  if (!check(bytes.subarray(0, CHECKED)).equals(bytes.subarray(CHECKED))) return undefined;
  return Number(bytes.readBigUInt64BE() >> 8n);
}

/** Tells an id that was mistyped from one whose version is gone, as S3 does. */
function check(bytes: Buffer): Buffer {
  return Buffer.from(hash("sha256", bytes, "hex").slice(0, 6), "hex");
}
