import type { Shell } from "./shell.ts";

/** What the rules have to know of the host's own network. */
export interface HostFacts {
  /** Every address of the host, loopback's included. */
  readonly addresses: readonly string[];
  /** Networks that are on a link of the host, such as `192.168.1.0/24`. */
  readonly linked: readonly string[];
  /** Destinations of all routes but the default ones, other platforms' bridges included. */
  readonly destinations: readonly string[];
  /** Interfaces that a default route leaves by. */
  readonly outward: readonly string[];
  /** Interfaces that any route leaves by. */
  readonly routed: readonly string[];
}

interface Route {
  readonly dst?: unknown;
  readonly dev?: unknown;
  readonly gateway?: unknown;
  readonly via?: unknown;
}

export async function readHostFacts(shell: Shell): Promise<HostFacts> {
  const output = await shell.run("ip -j addr show\necho\nip -j -4 route show\necho\nip -j -6 route show");
  // An empty answer is `[ ]` or nothing at all, by version.
  const [interfaces = [], routes4 = [], routes6 = []] = output
    .split(/\n(?=\[|$)/)
    .map((part) => part.trim())
    .filter((part) => part.startsWith("["))
    .map((part): unknown[] => asArray(JSON.parse(part)));
  const routes = [...routes4, ...routes6]
    .map((route): Route => asRecord(route))
    .filter((route): route is Route & { dev: string; dst: string } => {
      const { dev, dst } = route;
      return typeof dev === "string" && typeof dst === "string" && dev !== "lo";
    });
  const foreign = routes.filter((route) => !route.dev.startsWith("thaw-"));
  const plain = foreign.filter((route) => route.dst !== "default");
  return {
    addresses: interfaces
      .map(asRecord)
      .filter((link) => !String(link["ifname"]).startsWith("thaw-"))
      .flatMap((link) => asArray(link["addr_info"]).map((info) => asRecord(info)["local"]))
      .filter((address) => typeof address === "string"),
    linked: plain
      .filter((route) => route.gateway === undefined && route.via === undefined && route.dst.includes("/"))
      .map((route) => route.dst),
    destinations: routes.filter((route) => route.dst !== "default").map((route) => route.dst),
    outward: unique(foreign.filter((route) => route.dst === "default").map((route) => route.dev)),
    routed: unique(foreign.map((route) => route.dev)),
  };
}

export function unique(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
