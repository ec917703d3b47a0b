import type { Enforcement } from "../contract.ts";
import { unique, type HostFacts } from "./host-facts.ts";
import { removeLinks } from "./links.ts";
import { refill } from "./rules.ts";
import { nftScript, type Shell } from "./shell.ts";
import type { Uplink } from "./uplink.ts";

type Family = 4 | 6;

/**
 * The host routes for its environments: masquerading is in the bridge's rules, forwarding is switched on here, only for
 * the interfaces that need it. Which ones the platform switched on is written into its own table, beside the rule that
 * keeps them from forwarding anything else, so that `tearDown` restores them even after a crash.
 */
export class HostUplink implements Uplink {
  readonly resolvers: readonly string[];
  readonly #shell: Shell;
  readonly #name: string;
  readonly #everyRoute: boolean;
  #seen = new Map<Family, string>();
  #v6 = true;
  #blockedBy: readonly string[] = [];

  /** @param everyRoute whether interfaces without a default route are reached too: the local network is allowed */
  constructor(shell: Shell, name: string, resolvers: readonly string[], everyRoute: boolean) {
    this.#shell = shell;
    this.#name = name;
    this.resolvers = resolvers;
    this.#everyRoute = everyRoute;
  }

  async start(): Promise<void> {
    await this.#passDocker();
    this.#blockedBy = dropping(await this.#shell.run("nft list chains"), this.#name);
  }

  async refresh(facts: HostFacts): Promise<void> {
    const interfaces = [...(this.#everyRoute ? facts.routed : facts.outward), this.#name];
    await this.#forward(4, interfaces);
    await this.#forward(6, interfaces);
  }

  enforcement(): readonly Enforcement[] {
    const told: Enforcement[] = [];
    if (!this.#v6)
      told.push({
        limit: "network: internet over IPv6",
        level: "not enforced",
        how: "unreachable: Linux before 6.17 forwards IPv6 for all interfaces or none; set net.ipv6.conf.all.forwarding=1 for it",
      });
    for (const chain of this.#blockedBy)
      told.push({
        limit: "network: reaching out past this host's firewall",
        level: "not enforced",
        how: `${chain} drops by default: let it accept what enters by ${this.#name}, and replies to it`,
      });
    if (this.resolvers.length === 0)
      told.push({
        limit: "network: name look-ups",
        level: "not enforced",
        how: "the host's name server listens on loopback alone, which environments do not reach",
      });
    return told;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #forward(family: Family, interfaces: readonly string[]): Promise<void> {
    const state = await this.#flags(family, interfaces);
    if (state === this.#seen.get(family)) return;
    const [global = "0", ...lines] = state.trim().split("\n");
    const flags = new Map(
      lines.map((line): [string, string] => [line.split(" ")[0] ?? "", line.split(" ")[1] ?? ""]),
    );
    if (family === 6) this.#v6 = global === "1" || flags.size > 0;
    const others = await forwardedBy(this.#shell, family, (table) => table !== this.#name);
    const mine = await forwardedBy(this.#shell, family, (table) => table === this.#name);
    // Once somebody switches on forwarding for the whole host, it is no longer the platform's to limit or to undo.
    const off = global === "1" ? [] : [...flags.keys()].filter((item) => flags.get(item) === "0");
    const owned =
      global === "1" ? [] : [...flags.keys()].filter((item) => [...off, ...others, ...mine].includes(item));
    const elements = owned.filter((item) => item !== this.#name).map((item) => `"${item}"`);
    // The rule first: there is no moment at which the host forwards more than for environments.
    await this.#shell.run(
      `${nftScript(refill(this.#name, `forwarded${family}`, elements))}
for i in ${off.map(quoted).join(" ")}; do echo 1 >"${flagOf(family, "$i")}"; done`,
    );
    this.#seen.set(family, await this.#flags(family, interfaces));
  }

  /** The whole host's forwarding flag, then a line `eth0 1` for each interface that has one. */
  #flags(family: Family, interfaces: readonly string[]): Promise<string> {
    return this.#shell.run(
      `cat ${GLOBAL[family]} || echo 0
for i in ${interfaces.map(quoted).join(" ")}; do f=${flagOf(family, "$i")}; [ ! -e "$f" ] || echo "$i $(cat "$f")"; done`,
    );
  }

  /** Docker sets the host to drop what it does not know, and keeps this chain for others' exceptions. */
  async #passDocker(): Promise<void> {
    for (const family of ["ip", "ip6"]) {
      const chain = `${family} filter DOCKER-USER`;
      if (!(await this.#shell.run(`nft list chain ${chain} || true`)).includes("DOCKER-USER")) continue;
      await this.#shell.run(
        nftScript(`insert rule ${chain} iifname "${this.#name}" accept comment "${this.#name}"
insert rule ${chain} oifname "${this.#name}" ct state established,related accept comment "${this.#name}"`),
      );
    }
  }
}

const GLOBAL = { 4: "/proc/sys/net/ipv4/ip_forward", 6: "/proc/sys/net/ipv6/conf/all/forwarding" };

/** IPv6 has a flag an interface since Linux 6.17; its older namesake makes a router of it but forwards nothing. */
function flagOf(family: Family, name: string): string {
  return family === 4
    ? `/proc/sys/net/ipv4/conf/${name}/forwarding`
    : `/proc/sys/net/ipv6/conf/${name}/force_forwarding`;
}

/** Interfaces that tables of platforms on this host say they switched forwarding on for. */
async function forwardedBy(
  shell: Shell,
  family: Family,
  which: (table: string) => boolean,
): Promise<string[]> {
  const tables = [...(await shell.run("nft list tables inet")).matchAll(/^table inet (thaw-[0-9a-f]{5})$/gm)]
    .map((match) => match[1] ?? "")
    .filter(which);
  if (tables.length === 0) return [];
  const sets = await shell.run(
    tables.map((table) => `nft list set inet ${table} forwarded${family} || true`).join("\n"),
  );
  return unique([...sets.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? ""));
}

/** Chains of other firewalls that drop what they do not know; Docker's is passed by way of DOCKER-USER. */
export function dropping(chains: string, own: string): string[] {
  const found: string[] = [];
  let table = "";
  let chain = "";
  const docker = chains.includes("chain DOCKER-USER");
  for (const line of chains.split("\n")) {
    const word = /^\s*(table|chain) (.+) \{$/.exec(line);
    if (word?.[1] === "table") table = word[2] ?? "";
    if (word?.[1] === "chain") chain = word[2] ?? "";
    const hook = /hook (forward|input) .*policy drop;/.exec(line)?.[1];
    if (hook === undefined || table.endsWith(own)) continue;
    if (docker && /^ip6? filter$/.test(table) && chain === "FORWARD") continue;
    found.push(`${table} ${chain}`);
  }
  return found;
}

/** Removes bridge, links, tables and exceptions of a platform, and switches off the forwarding that no other platform needs. */
export async function tearDown(shell: Shell, name: string): Promise<void> {
  const tables = (await shell.run("nft list tables")).split("\n");
  if (tables.includes(`table inet ${name}`)) {
    for (const family of [4, 6] as const) {
      const others = await forwardedBy(shell, family, (table) => table !== name);
      const mine = await forwardedBy(shell, family, (table) => table === name);
      const restore = mine.filter((item) => !others.includes(item));
      await shell.run(
        `for i in ${restore.map(quoted).join(" ")}; do f="${flagOf(family, "$i")}"; [ ! -e "$f" ] || echo 0 >"$f"; done`,
      );
    }
  }
  for (const family of ["ip", "ip6"]) {
    const rules = await shell.run(`nft -a list chain ${family} filter DOCKER-USER || true`);
    for (const match of rules.matchAll(/comment "(thaw-[0-9a-f]{5})" # handle (\d+)/g))
      if (match[1] === name)
        await shell.run(`nft delete rule ${family} filter DOCKER-USER handle ${match[2]} || true`);
  }
  const links = [...(await shell.run("ip -o link show")).matchAll(/^\d+: ([^:@]+)[:@]/gm)]
    .map((match) => match[1] ?? "")
    .filter((link) => link === name || link.startsWith(`${name}v`));
  await shell.run(removeLinks(name, links));
  // Added first, because another platform may be removing them at the same time, and what is not there cannot be deleted.
  for (const family of ["inet", "bridge"])
    await shell.run(nftScript(`add table ${family} ${name}\ndelete table ${family} ${name}`));
}

/** Interface names hold no quote, but may hold nearly anything else. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
