import { freeRanges, subnetAt, type Subnet } from "./addresses.ts";
import { readHostFacts } from "./host-facts.ts";
import { makeBridge, removeLinks } from "./links.ts";
import { markOwner } from "./orphans.ts";
import type { Shell } from "./shell.ts";

const TRIES = 8;

/**
 * Makes the bridge on a subnet that nothing else of the host uses. Two platforms that start at once may choose the same
 * one: whoever sees the other's address beside its own moves on, the two by different steps.
 * @throws Error where no subnet is left
 */
export async function claimBridge(
  shell: Shell,
  hostShell: Shell,
  tag: string,
  name: string,
): Promise<Subnet> {
  const off = await hostShell.run("cat /proc/sys/net/ipv6/conf/default/disable_ipv6 || echo 1");
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { destinations } = await readHostFacts(hostShell);
    const free = freeRanges(destinations);
    const range = free[(attempt * (1 + Number.parseInt(tag, 16))) % free.length];
    if (range === undefined)
      throw new Error(
        "every /20 of link-local IPv4 addresses is in use on this host, mostly by other platforms (`ip link show type bridge` lists their bridges, thaw-…): stop those that are not needed",
      );
    const subnet = subnetAt(range, tag, off.trim() === "0");
    await shell.run(`${makeBridge(name, subnet)}\n${markOwner(name)}`);
    const holders = await shell.run(`ip -o -4 addr show to ${subnet.platform4}`);
    if (holders.trim().split("\n").length === 1) return subnet;
    await shell.run(removeLinks(name, [name]));
  }
  throw new Error("other platforms took every address range that was tried");
}
