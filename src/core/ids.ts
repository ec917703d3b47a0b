import { randomBytes, randomUUID } from "node:crypto";

/** Identifiers that are unique without coordination between nodes. */
export interface Ids {
  /** An RFC 9562 version 4 UUID, lower case: request ids, revision ids. */
  uuid(): string;
  /** `length` random lower-case hexadecimal digits. */
  hex(length: number): string;
  /** `length` random characters of `A-Z2-7`, as in access key ids and IAM unique ids. */
  base32(length: number): string;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export const systemIds: Ids = {
  uuid: () => randomUUID(),
  hex: (length) =>
    randomBytes(Math.ceil(length / 2))
      .toString("hex")
      .slice(0, length),
  base32: (length) => Array.from(randomBytes(length), (byte) => BASE32[byte & 31]).join(""),
};
