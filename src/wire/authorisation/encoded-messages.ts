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
      for (const shorter of shortened(details)) {
        const message = write(account, shorter);
        if (message.length <= LONGEST) return message;
      }
      throw new Error("a denial's principal, action and resource are longer than any can be");
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

/**
 * The details, and then less and less of them. What says most of all is who wanted what, and whether that is forbidden;
 * then by which statement, of which no part is left out alone; and then how the request was, least of all where it is long.
 */
function* shortened(details: DenialDetails): Generator<DenialDetails> {
  const { context } = details;
  const byLength = context.conditions.items
    .map((item) => ({ item, length: JSON.stringify(item).length }))
    .toSorted((a, b) => a.length - b.length)
    .map(({ item }) => item);
  for (const matchedStatements of [details.matchedStatements, { items: [] }])
    for (let most = byLength.length; ; most = Math.floor(most / 2)) {
      const kept = new Set(byLength.slice(0, most));
      const items = context.conditions.items.filter((item) => kept.has(item));
      yield { ...details, matchedStatements, context: { ...context, conditions: { items } } };
      if (most === 0) break;
    }
}
