import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork, type OpenNetworkOptions } from "#engine/sandbox/network/open";
import { greet, lacking, Machine, probe } from "./machine.ts";
import { until } from "../support/until.ts";

const missing = lacking("ip", "nft", "nsenter", "unshare");
const title = `what a bridge changes of its host${missing === undefined ? "" : ` (needs ${missing})`}`;

describe.skipIf(missing !== undefined)(title, () => {
  let machine: Machine;
  let before: string;
  let open: NetworkProvider[];

  beforeEach(async () => {
    open = [];
    machine = await Machine.boot();
    await machine.serve("outside", "::", 80);
    before = await machine.state();
  });

  afterEach(async () => {
    await Promise.all(open.map((provider) => provider.close()));
    await machine.shutDown();
  });

  async function connect(options: Partial<OpenNetworkOptions> = {}): Promise<NetworkProvider> {
    const provider = await openNetwork({
      mode: "egress",
      localNetwork: "allow",
      instance: "one",
      clock: systemClock,
      kinds: ["bridge"],
      prefix: machine.prefix(),
      ...options,
    });
    open.push(provider);
    expect(provider.name).toBe("bridge");
    return provider;
  }

  it("is restored by close", async () => {
    const provider = await connect();
    await provider.listen(9001);
    const networks = await Promise.all(["a", "b", "c"].map((id) => provider.acquire(id)));
    expect(await machine.state()).not.toBe(before);
    await provider.close();
    await Promise.all(networks.map((network) => network.release()));
    expect(await machine.state()).toBe(before);
    await expect(provider.acquire("late")).rejects.toThrow("closed");
  });

  it.each([
    ["of the same platform", "one"],
    ["of another platform", "two"],
  ])("is restored by the next start after a crash, %s", async (_whose, instance) => {
    const living = await connect({ instance: "three" });
    const crashed = await connect();
    const network = await crashed.acquire("a");
    const shell = Number(/^\/proc\/(\d+)\//.exec(network.namespace ?? "")?.[1]);
    expect(shell).toBeGreaterThan(1);
    process.kill(shell, "SIGKILL");
    await until(() => expect(crashed.acquire("b")).rejects.toThrow("ended"));
    await network.release();
    open = [living];
    const next = await connect({ instance });
    expect(await probe(await next.acquire("a"), ["203.0.113.10:80"])).toEqual({ "203.0.113.10:80": "hello" });
    await next.close();
    expect(await probe(await living.acquire("a"), ["203.0.113.10:80"])).toEqual({
      "203.0.113.10:80": "hello",
    });
    await living.close();
    expect(await machine.state()).toBe(before);
  });

  it("is shared by two platforms: the last one to close restores it", async () => {
    const one = await connect();
    const two = await connect({ instance: "two" });
    expect(one.platformHost).not.toBe(two.platformHost);
    await one.close();
    expect(await probe(await two.acquire("a"), ["203.0.113.10:80", "2001:db8:2::10:80"])).toEqual({
      "203.0.113.10:80": "hello",
      "2001:db8:2::10:80": "hello",
    });
    await two.close();
    expect(await machine.state()).toBe(before);
  });

  it("gives platforms that start at once subnets of their own", async () => {
    const instances = ["one", "two", "three", "four"];
    const all = await Promise.all(instances.map((instance) => connect({ instance, mode: "none" })));
    expect(new Set(all.map((provider) => provider.platformHost)).size).toBe(4);
    await Promise.all(all.map((provider) => provider.close()));
    expect(await machine.state()).toBe(before);
  });

  it("makes no router of it for others", async () => {
    await machine.shell.run(`ip netns add inner
ip -n inner link set lo up
ip -n machine link add eth1 type veth peer name eth0 netns inner
ip -n machine link set eth1 up
ip -n machine addr add 192.168.77.1/24 dev eth1
ip -n inner link set eth0 up
ip -n inner addr add 192.168.77.2/24 dev eth0
ip -n inner route add default via 192.168.77.1
ip -n outside route add 192.168.77.0/24 via 198.51.100.2`);
    const provider = await connect();
    const inner = { enter: ["nsenter", `--net=/proc/${machine.shell.pid}/root/run/netns/inner`, "--"] };
    expect(await probe(await provider.acquire("a"), ["203.0.113.10:80"])).toEqual({
      "203.0.113.10:80": "hello",
    });
    expect(Object.values(await probe(inner, ["203.0.113.10:80"], 1000))).not.toContain("hello");
    // The same way is open once the host itself forwards: it is the platform's rule that closed it.
    await provider.close();
    await machine.script("echo 1 >/proc/sys/net/ipv4/ip_forward");
    expect(await probe(inner, ["203.0.113.10:80"])).toEqual({ "203.0.113.10:80": "hello" });
  });

  it("leaves a host that forwards already as it is", async () => {
    await machine.script(
      "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
    );
    before = await machine.state();
    const provider = await connect();
    expect(await probe(await provider.acquire("a"), ["203.0.113.10:80"])).toEqual({
      "203.0.113.10:80": "hello",
    });
    await provider.close();
    expect(await machine.state()).toBe(before);
  });

  it("passes Docker's firewall by the chain that Docker leaves to others", async () => {
    const docker = (family: string): string =>
      `table ${family} filter {
chain DOCKER-USER { counter return; }
chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }
}`
        .replaceAll("; }", "\n}")
        .replaceAll("{ ", "{\n");
    await machine.script(`nft -f - <<'RULES'\n${docker("ip")}\n${docker("ip6")}\nRULES`);
    before = (await machine.state()).replaceAll(/packets \d+ bytes \d+/g, "");
    const provider = await connect();
    const network = await provider.acquire("a");
    expect(await probe(network, ["203.0.113.10:80", "2001:db8:2::10:80"])).toEqual({
      "203.0.113.10:80": "hello",
      "2001:db8:2::10:80": "hello",
    });
    expect(provider.enforcement().filter((told) => told.limit.includes("firewall"))).toEqual([]);
    await provider.close();
    expect((await machine.state()).replaceAll(/packets \d+ bytes \d+/g, "")).toBe(before);
  });

  it("tells of another firewall that it does not pass", async () => {
    await machine.script(`nft -f - <<'RULES'
table inet firewall {
chain forward {
type filter hook forward priority filter; policy drop;
}
}
RULES`);
    const provider = await connect();
    const told = provider.enforcement().filter((item) => item.limit.includes("firewall"));
    expect(told.map((item) => [item.level, item.how.split(" drops")[0]])).toEqual([
      ["not enforced", "inet firewall forward"],
    ]);
  });

  it("keeps nothing of 200 networks taken and released", async () => {
    const provider = await connect({ pool: { least: 2, most: 8, batch: 8 } });
    const seen = new Set<string>();
    const descriptors = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    let first = 0;
    for (let round = 0; round < 50; round++) {
      const networks = await Promise.all(["a", "b", "c", "d"].map((id) => provider.acquire(id)));
      for (const network of networks) seen.add(network.guestAddress ?? "");
      await Promise.all(networks.flatMap((network) => [network.release(), network.release()]));
      if (round === 9) first = await descriptors();
    }
    // Addresses are not used again before all others were.
    expect(seen.size).toBe(200);
    expect(await descriptors()).toBeLessThanOrEqual(first);
    await until(async () => {
      const links = await machine.script("ip -o link show");
      expect([...links.matchAll(/thaw-[0-9a-f]{5}v/g)].length).toBeLessThanOrEqual(8);
    });
    await provider.close();
    expect(await machine.state()).toBe(before);
  });

  it("gives 50 at once, each its own", async () => {
    const provider = await connect();
    const seen: string[] = [];
    greet(await provider.listen(9001), (address) => seen.push(address));
    const networks = await Promise.all(
      Array.from({ length: 50 }, (_, index) => provider.acquire(String(index))),
    );
    expect(new Set(networks.map((network) => network.guestAddress)).size).toBe(50);
    const last = networks[49];
    if (last === undefined) throw new Error("fewer than 50");
    await probe(last, [`${provider.platformHost}:9001`]);
    expect(seen).toEqual([last.guestAddress]);
  });
});
