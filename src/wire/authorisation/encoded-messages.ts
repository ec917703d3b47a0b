import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Ids } from "#core/ids";
import { IV_BYTES, seal, unseal } from "../auth/seal.ts";
import type { DenialDetails } from "./denial-details.ts";

/** Denials as texts that only this platform can read, and tells to whom STS allows. */
export interface EncodedMessages {
  /** @param account whose denial it is: nobody of another one can have it decoded */
  encode(account: string, details: DenialDetails): string;
  /** The details as JSON; `undefined` where the text is none of this platform's for this account. */
  decode(account: string, message: string): string | undefined;
}

/** What STS takes (API reference, "DecodeAuthorizationMessage"). */
const LONGEST = 10_240;

/** More than any denial: what is sealed was made here, and still is not let grow without bounds. */
const MAX_DECODED_BYTES = 1024 * 1024;

/** @param key 32 bytes that are used for nothing else */
export function createEncodedMessages({
  key,
  ids,
}: {
  readonly key: Buffer;
  readonly ids: Ids;
}): EncodedMessages {
  const write = (account: string, details: DenialDetails): string => {
    const iv = Buffer.from(ids.hex(IV_BYTES * 2), "hex");
    return seal(key, iv, account, deflateRawSync(JSON.stringify(details))).toString("base64url");
  };
  return {
    encode(account, details) {
      const whole = write(account, details);
      if (whole.length <= LONGEST) return whole;
      // What says most of all is who wanted what, and whether that is forbidden.
      const none = { items: [] };
      const { context } = details;
      return write(account, {
        ...details,
        matchedStatements: none,
        context: { ...context, conditions: none },
      });
    },
    decode(account, message) {
      if (message.length > LONGEST || !/^[\w-]+$/.test(message)) return undefined;
      const bytes = unseal(key, account, Buffer.from(message, "base64url"));
      return bytes === undefined
        ? undefined
        : inflateRawSync(bytes, { maxOutputLength: MAX_DECODED_BYTES }).toString();
    },
  };
}
