import { isIPv4, isIPv6 } from "node:net";
import { EventPatternError } from "./error.ts";

/**
 * Compiles `10.0.0.0/24` or `2001:db8::/32`. The range begins at the address as it is written, as AWS has it.
 * @throws EventPatternError in AWS's words (recorded: test_validate_policy_string_operators)
 */
export function compileCidr(cidr: string): (value: string) => boolean {
  const parts = cidr.replace(/\/+$/u, "").split("/");
  const [address, bits] = parts;
  if (address === undefined || bits === undefined || parts.length !== 2)
    throw new EventPatternError("Malformed CIDR, one '/' required");
  if (!/^[+-]?\d{1,9}$/u.test(bits))
    throw new EventPatternError("Malformed CIDR, mask bits must be an integer");
  const mask = Number(bits);
  if (mask < 0) throw new EventPatternError("Malformed CIDR, mask bits must not be negative");
  const low = parseAddress(address);
  if (low === undefined) throw new EventPatternError(`Nonstandard IP address: ${address}`);
  const { length } = low;
  if (mask >= length)
    throw new EventPatternError(`IPv${length === 32 ? 4 : 6} mask bits must be < ${length}`);
  const high = low.value | ((1n << BigInt(length - mask)) - 1n);
  return (value) => {
    const found = parseAddress(value);
    return found !== undefined && found.length === length && found.value >= low.value && found.value <= high;
  };
}

function parseAddress(text: string): { length: 32 | 128; value: bigint } | undefined {
  if (isIPv4(text))
    return { length: 32, value: text.split(".").reduce((sum, part) => (sum << 8n) | BigInt(part), 0n) };
  if (!/^[\da-f:]+$/iu.test(text) || !isIPv6(text)) return undefined;
  const [head = [], tail] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = [...head, ...zeros, ...(tail ?? [])];
  return { length: 128, value: groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) };
}
