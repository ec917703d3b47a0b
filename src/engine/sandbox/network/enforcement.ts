import type { Enforcement } from "../contract.ts";
import type { NetworkKind, NetworkOptions } from "./contract.ts";

interface Facts extends NetworkOptions {
  readonly kind: NetworkKind;
  readonly name: string;
  readonly filtered: boolean;
  /** Why the internet, which was asked for, is not reached. */
  readonly lost?: string | undefined;
}

/** What a bridge with isolated ports holds, whatever it is connected to. */
export function bridgedEnforcement(options: Facts): readonly Enforcement[] {
  const reached = options.kind !== "isolated" && options.mode === "egress";
  const told: Enforcement[] = [
    {
      limit: "network: other execution environments",
      level: "enforced",
      how: "a namespace and an isolated bridge port for each",
    },
    {
      limit: "network: the host's loopback and services",
      level: "enforced",
      how:
        options.kind === "bridge"
          ? `nftables table inet ${options.name} lets through the platform's own ports alone`
          : "environments have no route to the host; what leaves it for the host's own addresses is refused",
    },
    {
      limit: "network: false source addresses",
      level: "enforced",
      how: options.filtered
        ? `nftables table bridge ${options.name} ties each link to its addresses`
        : "without capabilities in its namespace, a function cannot send from another address",
    },
    options.lost === undefined
      ? {
          limit: "network: internet",
          level: "enforced",
          how: reached ? "reached, by way of masquerading" : "not reached",
        }
      : {
          limit: "network: internet",
          level: "not enforced",
          how: `not reached, though asked for: ${options.lost}`,
          remedy: "install passt or slirp4netns and let this user open /dev/net/tun, or run Thaw as root",
        },
  ];
  told.push({
    limit: "network: less for one function",
    level: "enforced",
    how: reached
      ? "functions with THAW_NETWORK=none reach the platform alone"
      : "none reaches more than that",
  });
  if (reached)
    told.push({
      limit: "network: local network",
      level: options.localNetwork === "deny" ? "enforced" : "not enforced",
      how:
        options.localNetwork === "deny"
          ? "private, shared and on-link addresses are refused; name servers are reached on port 53"
          : "reached, as set; link-local addresses and metadata services are not",
    });
  return told;
}
