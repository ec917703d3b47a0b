import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { NetworkKind, NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork, type OpenNetworkOptions } from "#engine/sandbox/network/open";
import { greet, lacking, Machine, probe } from "./machine.ts";

/** Any number will do: the platform needs neither a name nor a home folder of the user's. */
const ORDINARY_USER = 54321;

const kinds: readonly { readonly kind: NetworkKind; readonly program: string; readonly ipv6: boolean }[] = [
  { kind: "pasta", program: "pasta", ipv6: true },
  { kind: "slirp4netns", program: "slirp4netns", ipv6: false },
];

describe.each(kinds)("$kind for an ordinary user", ({ kind, program, ipv6 }) => {
  const missing = lacking("ip", "nft", "nsenter", "unshare", "setpriv", program);
  const needs = missing === undefined ? "" : ` (needs ${missing})`;

  describe.skipIf(missing !== undefined)(`an environment${needs}`, () => {
    let machine: Machine;
    let provider: NetworkProvider;
    const seen: string[] = [];

    async function open(options: Partial<OpenNetworkOptions> = {}): Promise<NetworkProvider> {
      const opened = await openNetwork({
        mode: "egress",
        localNetwork: "allow",
        instance: "one",
        clock: systemClock,
        kinds: [kind],
        prefix: machine.prefix(ORDINARY_USER),
        ...options,
      });
      expect(
        opened
          .enforcement()
          .filter((told) => told.level === "not enforced" && !/local network|look-ups/.test(told.limit)),
      ).toEqual([]);
      expect(opened.name).toBe(kind);
      return opened;
    }

    beforeAll(async () => {
      machine = await Machine.boot();
      await Promise.all([
        machine.serve("machine", "127.0.0.1", 5001),
        machine.serve("machine", "::", 5002),
        machine.serve("outside", "::", 80),
      ]);
      provider = await open();
      greet(await provider.listen(9001), (address) => seen.push(address));
    });

    afterAll(async () => {
      await provider.close();
      await machine.shutDown();
    });

    it("reaches the platform and is known by its address", async () => {
      const network = await provider.acquire("a");
      expect(await probe(network, [`${provider.platformHost}:9001`])).toEqual({
        [`${provider.platformHost}:9001`]: "hello",
      });
      expect(seen).toEqual([network.guestAddress]);
      await network.release();
    });

    it("reaches the internet, but no metadata service", async () => {
      const network = await provider.acquire("a");
      expect(await probe(network, ["203.0.113.10:80", "10.9.9.9:80", "169.254.169.254:80"])).toEqual({
        "203.0.113.10:80": "hello",
        "10.9.9.9:80": "hello",
        "169.254.169.254:80": "ECONNREFUSED",
      });
      if (ipv6) expect(await probe(network, ["2001:db8:2::10:80"])).toEqual({ "2001:db8:2::10:80": "hello" });
      await network.release();
    });
  });
});
