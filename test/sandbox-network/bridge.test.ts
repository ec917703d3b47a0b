import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork, type OpenNetworkOptions } from "#engine/sandbox/network/open";
import { greet, lacking, Machine, probe } from "./machine.ts";

const missing = lacking("ip", "nft", "nsenter", "unshare");

describe.skipIf(missing !== undefined)(
  `the bridge of a host${missing === undefined ? "" : ` (needs ${missing})`}`,
  () => {
    let machine: Machine;
    let open: NetworkProvider[] = [];

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
      const bridge6 = (await machine.script("ip -o -6 addr show scope global")).match(
        /fd\S+::1(?=\/64)/,
      )?.[0];
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
  },
);
