import { type ChecksumMember, memberOf } from "./checksums/algorithms.ts";
import type { Checksum, ObjectDocument } from "./store.ts";

export type ChecksumMembers = Partial<Record<ChecksumMember, string>> & {
  readonly ChecksumType: Checksum["type"];
};

/** A checksum as outputs hold it; that of an upload's parts has their number behind it, as its ETag has. */
export function checksumMembers(
  { algorithm, value, type }: Checksum,
  { data }: Pick<ObjectDocument, "data">,
  ofPart: boolean,
): ChecksumMembers {
  const shown = type === "COMPOSITE" && data.kind === "parts" && !ofPart ? `${value}-${data.count}` : value;
  return { [memberOf(algorithm)]: shown, ChecksumType: type };
}
