import type { Ids } from "./ids.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/**
 * An access key id that says its account, as AWS's own do: of the 80 bits after the prefix the first is 1, the next 40
 * are the account, the rest is random. `AKIA` for users' keys, `ASIA` for temporary credentials.
 */
export function makeAccessKeyId(prefix: "AKIA" | "ASIA", account: string, ids: Ids): string {
  const head = (1n << 40n) | BigInt(account);
  const random = BigInt(`0x${ids.hex(10)}`) & ((1n << 39n) - 1n);
  let bits = (head << 39n) | random;
  let text = "";
  for (let digit = 0; digit < 16; digit++) {
    text = `${ALPHABET[Number(bits & 31n)]}${text}`;
    bits >>= 5n;
  }
  return prefix + text;
}

/** The account that an access key id names; `undefined` where it is not of that form. */
export function accountOfAccessKey(id: string): string | undefined {
  if (!/^A[A-Z]IA[A-Z2-7]{16}$/.test(id)) return undefined;
  let bits = 0n;
  for (const character of id.slice(4)) bits = (bits << 5n) | BigInt(ALPHABET.indexOf(character));
  if (bits >> 79n === 0n) return undefined;
  const account = (bits >> 39n) & ((1n << 40n) - 1n);
  return account < 1_000_000_000_000n ? account.toString().padStart(12, "0") : undefined;
}
