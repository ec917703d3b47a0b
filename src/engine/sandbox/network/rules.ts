import type { Slot, Subnet } from "./addresses.ts";

/** What a bridge's rules depend on; they are loaded once, before the first environment is connected. */
export interface RuleOptions {
  /** Name of the bridge, of the tables, and beginning of every link's name: `thaw-` and five digits. */
  readonly name: string;
  readonly subnet: Subnet;
  readonly egress: boolean;
  readonly localNetwork: "allow" | "deny";
  /** Addresses of name servers, which are reached on port 53 wherever they are. */
  readonly resolvers: readonly string[];
}

/** Never reached: this network, loopback, link-local, multicast and reserved addresses, and what clouds tell their guests on. */
const NEVER4 = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"];
/** Metadata and host agents outside the link-local range: Alibaba, Azure, Oracle; AWS and Google over IPv6. */
const METADATA4 = ["100.100.100.200", "168.63.129.16", "192.0.0.192"];
const NEVER6 = ["::/127", "::ffff:0:0/96", "fe80::/10", "ff00::/8", "fd00:ec2::/64", "fd20:ce::254"];
/** RFC 1918, carrier-grade NAT (RFC 6598), IETF protocol assignments and benchmarking. */
const LOCAL4 = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
];
/** Unique local and site-local addresses, and the prefixes by which a translator or 6to4 reaches private IPv4 addresses. */
const LOCAL6 = ["fc00::/7", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"];

/**
 * The table that holds environments to their network. Its chains come before those of other firewalls (priority filter
 * - 10) and only ever take away: an accept here is no accept elsewhere.
 *
 * The forward chain's first rule: where the platform had to switch forwarding on for an interface, what comes in there
 * still goes nowhere but to environments, as before.
 */
export function rules(options: RuleOptions): string {
  const { name, subnet } = options;
  const resolvers4 = options.resolvers.filter((address) => !address.includes(":"));
  const resolvers6 = options.resolvers.filter((address) => address.includes(":"));
  return `table inet ${name} {
set forwarded4 { type ifname; }
set forwarded6 { type ifname; }
set tcp_ports { type inet_service; }
set sealed4 { type ipv4_addr; }
set sealed6 { type ipv6_addr; }
${addressSet("never4", "ipv4_addr", [...NEVER4, ...METADATA4])}
${addressSet("never6", "ipv6_addr", NEVER6)}
${addressSet("local4", "ipv4_addr", LOCAL4)}
${addressSet("local6", "ipv6_addr", LOCAL6)}
${addressSet("linked4", "ipv4_addr", [])}
${addressSet("linked6", "ipv6_addr", [])}
${addressSet("host4", "ipv4_addr", [])}
${addressSet("host6", "ipv6_addr", [])}
${addressSet("resolvers4", "ipv4_addr", resolvers4)}
${addressSet("resolvers6", "ipv6_addr", resolvers6)}
chain refuse {
meta l4proto tcp reject with tcp reset
reject
}
chain input {
type filter hook input priority filter - 10; policy accept;
iifname "${name}" goto from_environment
iifname != "lo" ip daddr ${subnet.v4} drop
iifname != "lo" ip6 daddr ${subnet.v6} drop
}
chain from_environment {
ct state established,related accept
icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
ip saddr ${subnet.v4} ip daddr ${subnet.platform4} tcp dport @tcp_ports accept
goto refuse
}
chain forward {
type filter hook forward priority filter - 10; policy accept;
meta nfproto ipv4 iifname @forwarded4 oifname != "thaw-*" drop
meta nfproto ipv6 iifname @forwarded6 oifname != "thaw-*" drop
iifname "${name}" goto outward
oifname "${name}" ct state established,related accept
oifname "${name}" drop
}
chain outward {
${options.egress ? outward(options) : ""}
goto refuse
}
${options.egress ? masquerade(options) : ""}
}
`;
}

/** `ct status dnat`: a port that the host publishes for its own containers would lead from its outer address into them. */
function outward(options: RuleOptions): string {
  const { subnet } = options;
  const local = `ip daddr @local4 goto refuse
ip6 daddr @local6 goto refuse
ip daddr @linked4 goto refuse
ip6 daddr @linked6 goto refuse`;
  return `ip saddr @sealed4 goto refuse
ip6 saddr @sealed6 goto refuse
oifname "thaw-*" goto refuse
ct status dnat goto refuse
ct state established,related accept
ip saddr != ${subnet.v4} drop
ip6 saddr != ${subnet.v6} drop
ip daddr @resolvers4 meta l4proto { tcp, udp } th dport 53 accept
ip6 daddr @resolvers6 meta l4proto { tcp, udp } th dport 53 accept
ip daddr @never4 goto refuse
ip6 daddr @never6 goto refuse
ip daddr @host4 goto refuse
ip6 daddr @host6 goto refuse
${options.localNetwork === "deny" ? local : ""}
accept`;
}

function masquerade(options: RuleOptions): string {
  return `chain postrouting {
type nat hook postrouting priority srcnat; policy accept;
ip saddr ${options.subnet.v4} oifname != "${options.name}" masquerade
ip6 saddr ${options.subnet.v6} oifname != "${options.name}" masquerade
}`;
}

/**
 * Lets environments send datagrams to a port of the platform.
 * @param most of one address in a second, of which so many may come at once; what is more is dropped. Undefined: any number
 */
export function letDatagramsIn(
  name: string,
  { v4, platform4 }: Subnet,
  port: number,
  most: number | undefined,
): string {
  const rule = `insert rule inet ${name} from_environment ip saddr ${v4} ip daddr ${platform4} udp dport ${port}`;
  if (most === undefined) return `${rule} accept`;
  return `add set inet ${name} senders4 { type ipv4_addr; flags dynamic; size 4096; timeout 1m; }
${rule} accept
${rule} update @senders4 { ip saddr limit rate over ${most}/second burst ${most} packets } drop`;
}

/** Lets no link send but from the addresses that it is tied to, in packets and in ARP alike. */
export function antiSpoofing(name: string): string {
  return `table bridge ${name} {
set links4 { type ifname . ipv4_addr; }
set links6 { type ifname . ipv6_addr; }
chain prerouting {
type filter hook prerouting priority -300; policy accept;
iifname "${name}v*" goto from_environment
}
chain from_environment {
ether type arp iifname . arp saddr ip @links4 accept
ether type ip iifname . ip saddr @links4 accept
ether type ip6 iifname . ip6 saddr @links6 accept
drop
}
}
`;
}

/**
 * Ties the links of slots to their addresses; to be loaded before they are connected, so that there is no moment at which
 * a link is there and may send.
 */
export function tieLinks(name: string, slots: readonly Slot[]): string {
  const pairs = (address: "v4" | "v6"): string =>
    slots.map((slot) => `"${linkOf(name, slot.number)}" . ${slot[address]}`).join(",");
  return `add element bridge ${name} links4 { ${pairs("v4")} }
add element bridge ${name} links6 { ${pairs("v6")} }`;
}

/** Lets an environment reach the platform alone, or lets its address go free for the next one. */
export function seal(name: string, slot: Slot, sealed: boolean): string {
  const verb = sealed ? "add" : "delete";
  return `${verb} element inet ${name} sealed4 { ${slot.v4} }
${verb} element inet ${name} sealed6 { ${slot.v6} }`;
}

/** The bridge's end of an environment's link. */
export function linkOf(name: string, slot: number): string {
  return `${name}v${slot}`;
}

function addressSet(name: string, type: "ipv4_addr" | "ipv6_addr", elements: readonly string[]): string {
  const list = elements.length === 0 ? "" : `elements = { ${elements.join(", ")} };`;
  return `set ${name} { type ${type}; flags interval; auto-merge; ${list} }`;
}

/** Replaces the elements of a set in one transaction. */
export function refill(table: string, set: string, elements: readonly string[]): string {
  const flush = `flush set inet ${table} ${set}`;
  return elements.length === 0
    ? flush
    : `${flush}\nadd element inet ${table} ${set} { ${elements.join(", ")} }`;
}
