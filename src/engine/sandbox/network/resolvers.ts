import { readFile } from "node:fs/promises";
import { isIP } from "node:net";

/** systemd-resolved listens on loopback alone and keeps the servers that it asks here. */
const FILES = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];

export interface Resolvers {
  /** Name servers that are reached from beyond the host's loopback. */
  readonly servers: readonly string[];
  /** Whether the host itself has any, be it on loopback. */
  readonly any: boolean;
}

/** The host's name servers. */
export async function findResolvers(files: readonly string[] = FILES): Promise<Resolvers> {
  let any = false;
  for (const file of files) {
    const found = nameServers(await readFile(file, "utf8").catch(() => ""));
    any ||= found.length > 0;
    const servers = found.filter((address) => !address.startsWith("127.") && address !== "::1");
    if (servers.length > 0) return { servers, any };
  }
  return { servers: [], any };
}

export function nameServers(text: string): string[] {
  return [...text.matchAll(/^nameserver[ \t]+(\S+)/gm)]
    .map((match) => match[1] ?? "")
    .filter((item) => isIP(item) > 0);
}

/** What /etc/resolv.conf says inside; without a server, a look-up fails at once. */
export function resolvConf(servers: readonly string[]): string {
  return servers.map((server) => `nameserver ${server}\n`).join("");
}

export const HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
