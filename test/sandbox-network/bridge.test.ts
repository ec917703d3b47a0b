import { execFile } from "node:child_process";
import { createServer as createHttpServer } from "node:http";
import type { Server } from "node:net";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { EnvironmentNetwork, NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork, type OpenNetworkOptions } from "#engine/sandbox/network/open";
import { PATH } from "#engine/sandbox/network/shell";
import { greet, hears, lacking, Machine, probe } from "./machine.ts";

const missing = lacking("ip", "nft", "nsenter", "unshare");
const title = `the bridge of a host${missing === undefined ? "" : ` (needs ${missing})`}`;

describe.skipIf(missing !== undefined)(title, () => {
  let machine: Machine;
  let open: NetworkProvider[] = [];
  let services: Server[] = [];

  beforeAll(async () => {
    machine = await Machine.boot();
    await Promise.all([
      machine.serve("machine", "127.0.0.1", 5001),
      machine.serve("machine", "::", 5002),
      machine.serve("outside", "::", 80),
    ]);
  });

  afterEach(async () => {
    await Promise.all(open.map((provider) => provider.close()));
    open = [];
  });

  afterAll(async () => {
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

  it("lets an environment reach the platform and be known by its address", async () => {
    const provider = await connect();
    const server = await provider.listen(9001);
    const seen: string[] = [];
    greet(server, (address) => seen.push(address));
    const network = await provider.acquire("a");
    expect(await probe(network, [`${provider.platformHost}:9001`])).toEqual({
      [`${provider.platformHost}:9001`]: "hello",
    });
    expect(seen).toEqual([network.guestAddress]);
  });

  it("keeps the host's services from it, on loopback and on every other address", async () => {
    const provider = await connect();
    const network = await provider.acquire("a");
    const bridge6 = (await machine.script("ip -o -6 addr show scope global")).match(/fd\S+::1(?=\/64)/)?.[0];
    expect(bridge6).toBeDefined();
    const targets = [
      "127.0.0.1:5001",
      "127.0.0.1:5002",
      "::1:5002",
      "198.51.100.2:5002",
      "172.31.0.2:5002",
      "2001:db8:1::2:5002",
      "2001:db8:3::2:5002",
      `${provider.platformHost}:5002`,
      `${bridge6}:5002`,
    ];
    const heard = await probe(network, targets);
    expect(heard).toEqual(Object.fromEntries(targets.map((target) => [target, "ECONNREFUSED"])));
  });

  it("keeps environments from each other, and from another platform's", async () => {
    // One after the other: of two tables the kernel asks the newer one first. The attacker's own refuses, the other drops.
    const two = await connect({ instance: "two" });
    const one = await connect();
    const server = await two.listen(9001);
    greet(server);
    const attacker = await one.acquire("attacker");
    const neighbours = await Promise.all([one.acquire("neighbour"), two.acquire("stranger")]);
    const targets = [`${two.platformHost}:9001`];
    for (const neighbour of neighbours) {
      const own6 = await addressOf(neighbour);
      for (const address of [neighbour.guestAddress ?? "", own6]) {
        const service = await neighbour.plant(address, 7000);
        greet(service);
        services.push(service);
        targets.push(`${address}:7000`);
      }
    }
    expect(new Set(targets).size).toBe(5);
    const heard = await probe(attacker, targets);
    expect(heard).toEqual(Object.fromEntries(targets.map((target) => [target, "ECONNREFUSED"])));
  });

  it("drops what an environment sends from an address that is not its own", async () => {
    const provider = await connect();
    const port = `${provider.platformHost}:9001`;
    greet(await provider.listen(9001));
    const [network, other] = await Promise.all([provider.acquire("a"), provider.acquire("b")]);
    await other.release();
    expect(await probe(network, [port])).toEqual({ [port]: "hello" });
    // As root inside, which no function is: the kernel would have refused it the change.
    await exec([...network.enter, "ip", "addr", "replace", `${other.guestAddress}/32`, "dev", "eth0"]);
    await exec([...network.enter, "ip", "addr", "del", `${network.guestAddress}/32`, "dev", "eth0"]);
    await exec([
      ...network.enter,
      "ip",
      "route",
      "replace",
      "default",
      "via",
      provider.platformHost ?? "",
      "dev",
      "eth0",
    ]);
    expect(await probe(network, [port], 1000)).toEqual({ [port]: "silence" });
  });

  it("keeps everybody beyond the host from the platform and from environments", async () => {
    const provider = await connect();
    greet(await provider.listen(9001));
    const network = await provider.acquire("a");
    const service = await network.plant("0.0.0.0", 7000);
    greet(service);
    services.push(service);
    const subnet = `${provider.platformHost}/32`;
    await machine.shell.run(`ip -n outside route replace ${subnet} via 198.51.100.2
ip -n outside route replace ${network.guestAddress}/32 via 198.51.100.2`);
    const targets = [`${provider.platformHost}:9001`, `${network.guestAddress}:7000`];
    expect(await probe({ enter: machine.enter("outside") }, targets, 1000)).toEqual(
      Object.fromEntries(targets.map((target) => [target, "silence"])),
    );
    expect(await probe({ enter: machine.enter("machine") }, targets)).toEqual(
      Object.fromEntries(targets.map((target) => [target, "hello"])),
    );
  });

  it("reaches the internet over IPv4 and IPv6, but no metadata service", async () => {
    const provider = await connect();
    const network = await provider.acquire("a");
    expect(
      await probe(network, ["203.0.113.10:80", "2001:db8:2::10:80", "10.9.9.9:80", "169.254.169.254:80"]),
    ).toEqual({
      "203.0.113.10:80": "hello",
      "2001:db8:2::10:80": "hello",
      "10.9.9.9:80": "hello",
      "169.254.169.254:80": "ECONNREFUSED",
    });
  });

  it("lets one environment reach the platform alone, and its address whoever has it next", async () => {
    const provider = await connect({ pool: { least: 1, most: 1, batch: 1 } });
    greet(await provider.listen(9001));
    const platform = `${provider.platformHost}:9001`;
    const outside = ["203.0.113.10:80", "2001:db8:2::10:80", "10.9.9.9:80"];
    const refused = Object.fromEntries(outside.map((target) => [target, "ECONNREFUSED"]));
    const reached = Object.fromEntries(outside.map((target) => [target, "hello"]));
    const [sealed, other] = [await provider.acquire("a", "none"), await provider.acquire("b", "egress")];
    expect(await probe(sealed, [platform, ...outside])).toEqual({ [platform]: "hello", ...refused });
    expect(await probe(other, [platform, ...outside])).toEqual({ [platform]: "hello", ...reached });
    await sealed.release();
    expect(await machine.script("nft list ruleset")).toMatch(/set sealed4 \{\s*type ipv4_addr\s*\}/);
  });

  it("refuses the local network where told to, and nothing else", async () => {
    const provider = await connect({ localNetwork: "deny" });
    const network = await provider.acquire("a");
    const open = ["203.0.113.10:80", "2001:db8:2::10:80"];
    const denied = ["10.9.9.9:80", "100.64.0.9:80", "198.51.100.1:80", "fd99::9:80", "2001:db8:1::1:80"];
    expect(await probe(network, [...open, ...denied])).toEqual(
      Object.fromEntries([
        ...open.map((target) => [target, "hello"]),
        ...denied.map((target) => [target, "ECONNREFUSED"]),
      ]),
    );
  });

  it("reaches name servers on the local network all the same", async () => {
    await machine.serve("outside", "10.9.9.9", 53);
    const provider = await connect({ localNetwork: "deny", resolvers: ["10.9.9.9"] });
    const network = await provider.acquire("a");
    expect(network.resolvConf).toBe("nameserver 10.9.9.9\n");
    expect(await probe(network, ["10.9.9.9:53", "10.9.9.9:80"])).toEqual({
      "10.9.9.9:53": "hello",
      "10.9.9.9:80": "ECONNREFUSED",
    });
  });

  it("leaves an environment the platform alone in mode none", async () => {
    const provider = await connect({ mode: "none" });
    greet(await provider.listen(9001));
    const network = await provider.acquire("a");
    const platform = `${provider.platformHost}:9001`;
    expect(await probe(network, [platform, "203.0.113.10:80", "2001:db8:2::10:80"])).toEqual({
      [platform]: "hello",
      "203.0.113.10:80": "ENETUNREACH",
      "2001:db8:2::10:80": "ENETUNREACH",
    });
  });

  it("refuses an address that the host takes on later", async () => {
    const provider = await connect();
    const network = await provider.acquire("a");
    await machine.script("ip addr add 203.0.113.77/32 dev lo");
    try {
      expect(await probe(network, ["203.0.113.77:5002"])).toEqual({ "203.0.113.77:5002": "ECONNREFUSED" });
    } finally {
      await machine.script("ip addr del 203.0.113.77/32 dev lo");
    }
  });

  it("does not let a port that the host publishes for others lead into the host", async () => {
    await machine.script(`nft -f - <<'RULES'
table ip others {
chain prerouting {
type nat hook prerouting priority dstnat;
ip daddr 198.51.100.2 tcp dport 8080 dnat to 10.9.9.9:80
}
}
RULES`);
    try {
      const provider = await connect();
      const network = await provider.acquire("a");
      const heard = await probe(network, ["198.51.100.2:8080", "10.9.9.9:80"], 2000);
      expect(heard["198.51.100.2:8080"]).not.toBe("hello");
      expect(heard["10.9.9.9:80"]).toBe("hello");
    } finally {
      await machine.script("nft delete table ip others");
    }
  });

  it("is connected to by the platform, whoever listens there and nobody else", async () => {
    const provider = await connect();
    const [network, other] = await Promise.all([provider.acquire("a"), provider.acquire("b")]);
    const service = await network.plant("0.0.0.0", 7000);
    services.push(service);
    greet(service);
    expect(await hears(await network.connect(7000))).toBe("hello");
    await expect(network.connect(7001)).rejects.toThrow("ECONNREFUSED");
    await expect(other.connect(7000)).rejects.toThrow("ECONNREFUSED");
  });

  it("plants a listening socket on an environment's own loopback", async () => {
    const provider = await connect({ mode: "none" });
    const [network, other] = await Promise.all([provider.acquire("a"), provider.acquire("b")]);
    const http = createHttpServer((_request, response) => response.end("next"));
    const planted = await network.plant("127.0.0.1", 9001);
    await new Promise<void>((resolve) => {
      http.listen(planted, resolve);
    });
    const curl = `fetch("http://127.0.0.1:9001/").then((r) => r.text()).then(console.log, () => console.log("refused"))`;
    expect(await exec([...network.enter, process.execPath, "-e", curl])).toBe("next\n");
    expect(await exec([...other.enter, process.execPath, "-e", curl])).toBe("refused\n");
    http.closeAllConnections();
    await new Promise((resolve) => {
      http.close(resolve);
    });
  });
});

async function exec(argv: readonly string[]): Promise<string> {
  const [program = "", ...args] = argv;
  return (await promisify(execFile)(program, args, { env: { PATH } })).stdout;
}

/** The IPv6 address of an environment. */
async function addressOf(network: EnvironmentNetwork): Promise<string> {
  const address = /inet6 (fd[0-9a-f:]+)/.exec(
    await exec([...network.enter, "ip", "-6", "addr", "show", "eth0"]),
  )?.[1];
  if (address === undefined) throw new Error("no IPv6 address");
  return address;
}
