import { BlockList, isIPv4, isIPv6 } from "node:net";

export function isIpv4(text: string): boolean {
  return isIPv4(text);
}

export function isIpv6(text: string): boolean {
  return isIPv6(text);
}

/** Compiled subnets of this thread's queries: a query asks the same one of each of its events. */
const MOST_REMEMBERED = 100;
const remembered = new Map<string, ((address: string) => boolean) | undefined>();

/** Whether an address lies in a subnet such as `10.0.0.0/8`; undefined where that is none. */
export function subnetTest(subnet: string): ((address: string) => boolean) | undefined {
  if (remembered.has(subnet)) return remembered.get(subnet);
  if (remembered.size >= MOST_REMEMBERED) remembered.clear();
  const made = compileSubnet(subnet);
  remembered.set(subnet, made);
  return made;
}

function compileSubnet(subnet: string): ((address: string) => boolean) | undefined {
  const [, network = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/u.exec(subnet) ?? [];
  const family = isIPv4(network) ? "ipv4" : isIPv6(network) ? "ipv6" : undefined;
  const bits = Number(digits);
  if (family === undefined || bits > (family === "ipv4" ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  const fits = family === "ipv4" ? isIPv4 : isIPv6;
  return (address) => fits(address) && list.check(address, family);
}
