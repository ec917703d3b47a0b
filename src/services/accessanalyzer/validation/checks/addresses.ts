import { BlockList, isIP } from "node:net";
import { textOf, type Place } from "../../document/place.ts";
import type { ConditionView } from "../../document/policy.ts";
import { suggestions } from "../advice.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

interface Range {
  readonly address: string;
  readonly family: "ipv4" | "ipv6";
  readonly bits: number;
}

/** Addresses that no request from the internet comes from. */
const PRIVATE = blockList([
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
]);

/** Ranges that are none, that say more bits than count, or that no request from outside comes from. */
export function checkAddresses(
  { operator, base, key, member }: ConditionView,
  values: readonly Place[],
  report: CheckContext["report"],
): void {
  const ranges: Range[] = [];
  for (const value of values) {
    const range = readRange(textOf(value));
    if (range === undefined) {
      report(errors.ipRange(operator), value);
      continue;
    }
    ranges.push(range);
    const masked = maskedAddress(range);
    if (masked !== range.address) report(suggestions.ipRange(`${masked}/${range.bits}`), value);
  }
  if (key.toLowerCase() !== "aws:sourceip" || ranges.length < values.length || ranges.length === 0) return;
  const hidden = ranges.filter(({ address, family }) => PRIVATE.check(address, family));
  if (hidden.length === 0) return;
  const negated = base === "notipaddress";
  if (hidden.length === ranges.length) report(negated ? errors.privateNotIp() : errors.privateIp(), member);
  else report(negated ? suggestions.privateNotIpSubset() : suggestions.privateIpSubset(), member);
}

function readRange(text: string): Range | undefined {
  const [address = "", suffix, rest] = text.split("/");
  const version = isIP(address);
  const width = version === 6 ? 128 : 32;
  const bits = suffix === undefined ? width : /^\d{1,3}$/.test(suffix) ? Number(suffix) : -1;
  if (version === 0 || rest !== undefined || bits < 0 || bits > width) return undefined;
  return { address, family: version === 6 ? "ipv6" : "ipv4", bits };
}

/** An IPv4 address without the bits that its range leaves open. IPv6 has too many spellings to write one's own. */
function maskedAddress({ address, family, bits }: Range): string {
  if (family === "ipv6") return address;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - bits);
  const masked = Math.floor(number / size) * size;
  return [24, 16, 8, 0].map((shift) => Math.floor(masked / 2 ** shift) % 256).join(".");
}

function blockList(
  ranges: readonly (readonly [address: string, bits: number, family: Range["family"]])[],
): BlockList {
  const list = new BlockList();
  for (const range of ranges) list.addSubnet(...range);
  return list;
}
