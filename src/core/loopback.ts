import { isIPv4 } from "node:net";

/**
 * Whether a host name, an address to listen on or a socket's peer is this machine alone: 127.0.0.0/8, also mapped into
 * IPv6 as dual-stack sockets name their peers, ::1, and `localhost`, which RFC 6761 reserves for them.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name === "::1" || name === "0:0:0:0:0:0:0:1") return true;
  const address = name.startsWith("::ffff:") ? name.slice("::ffff:".length) : name;
  return address.startsWith("127.") && isIPv4(address);
}
