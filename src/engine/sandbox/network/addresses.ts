import { createHash } from "node:crypto";

/**
 * Where environments live: a /20 of IPv4 link-local addresses, which no network routes, so that it collides with no
 * office or cloud network (AWS itself shows its functions 169.254 addresses), and a /64 of unique local IPv6 addresses
 * (RFC 4193). Neither 169.254.160.0/20, where clouds have their metadata service, nor the first and last /24 (RFC 3927)
 * are among them.
 */
export interface Subnet {
  /** Such as `169.254.96.0/20`. */
  readonly v4: string;
  /** Such as `fd12:3456:789a::/64`. */
  readonly v6: string;
  /** The bridge's own addresses, which are the platform's. */
  readonly platform4: string;
  readonly platform6: string;
  /** Whether the host speaks IPv6 at all; if not, only the IPv4 addresses are used. */
  readonly ipv6: boolean;
  readonly slots: readonly Slot[];
}

/** One place for an environment: its number names its link and determines its addresses. */
export interface Slot {
  readonly number: number;
  readonly v4: string;
  readonly v6: string;
}

/** Third octets of the /20s; the first is where AWS's own Runtime API address, 169.254.100.1, lies. */
const THIRD_OCTETS = [96, 112, 128, 144, 80, 64, 48, 32, 16, 176, 192, 208, 224];
/** The bridge's offset in its /20: 169.254.100.1 in the first. */
const PLATFORM_OFFSET = 4 * 256 + 1;
/** A host's worth: AWS gives an account 1,000 at once by default. Each that was ever used costs two elements in the rules. */
const SLOTS = 2048;

/** Five hexadecimal digits that name this platform's links and tables: 15 characters are all that a link's name may have. */
export function tagOf(instance: string): string {
  return createHash("sha256").update(instance).digest("hex").slice(0, 5);
}

/** Third octets of the subnets that overlap none of the host's destinations (`10.0.0.0/8`, `fd00::/64`, …), the preferred one first. */
export function freeRanges(destinations: readonly string[]): readonly number[] {
  return THIRD_OCTETS.filter((octet) => !destinations.some((other) => within20(octet, other)));
}

/** The subnet at one of `freeRanges`, for the platform of a tag. */
export function subnetAt(third: number, tag: string, ipv6: boolean): Subnet {
  const prefix6 = `fd${tag.slice(0, 2)}:${tag.slice(2)}0:7468:6177`;
  const v4 = (offset: number): string => `169.254.${third + (offset >> 8)}.${offset & 255}`;
  const v6 = (offset: number): string => `${prefix6}::${offset.toString(16)}`;
  const slots: Slot[] = [];
  for (let number = 2; number < SLOTS; number++)
    if (number !== PLATFORM_OFFSET) slots.push({ number, v4: v4(number), v6: v6(number) });
  return {
    v4: `${v4(0)}/20`,
    v6: `${prefix6}::/64`,
    platform4: v4(PLATFORM_OFFSET),
    platform6: v6(1),
    ipv6,
    slots,
  };
}

function within20(third: number, destination: string): boolean {
  const match = /^169\.254\.(\d+)\.\d+(?:\/(\d+))?$/.exec(destination);
  if (match === null) return false;
  const bits = Number(match[2] ?? 32);
  // The whole of 169.254.0.0/16 is what a zero-configuration interface has: ours is the more specific route.
  if (bits <= 16) return false;
  const other = Number(match[1]);
  const size = bits >= 24 ? 1 : 1 << (24 - bits);
  const first = other - (other % size);
  return first < third + 16 && third < first + size;
}
