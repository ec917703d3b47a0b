import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import type { Server } from "node:net";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ManualClock, systemClock } from "#core/clock";
import type { NetworkKind, NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork, type OpenNetworkOptions } from "#engine/sandbox/network/open";
import { PATH } from "#engine/sandbox/network/shell";
import { greet, hears, lacking, Machine, probe } from "./machine.ts";
import { until } from "../support/until.ts";

/** Any number will do: the platform needs neither a name nor a home folder of the user's. */
const ORDINARY_USER = 54321;

const kinds: readonly { readonly kind: NetworkKind; readonly program: string; readonly ipv6: boolean }[] = [
  { kind: "pasta", program: "pasta", ipv6: true },
  { kind: "slirp4netns", program: "slirp4netns", ipv6: false },
  { kind: "isolated", program: "sh", ipv6: false },
];

describe.each(kinds)("$kind for an ordinary user", ({ kind, program, ipv6 }) => {
  const missing = lacking("ip", "nft", "nsenter", "unshare", "setpriv", program);
  const title = `an environment${missing === undefined ? "" : ` (needs ${missing})`}`;
  const egress = kind !== "isolated";

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
      for (const service of services) service.close();
      services = [];
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
        kinds: [kind],
        prefix: machine.prefix(ORDINARY_USER),
        ...options,
      });
      open.push(provider);
      // A way that does not work here would have been answered with another.
      expect([provider.name, provider.platformHost]).toEqual([kind, expect.any(String)]);
      return provider;
    }

    it("reaches the platform and is known by its address", async () => {
      const provider = await connect();
      const seen: string[] = [];
      greet(await provider.listen(9001), (address) => seen.push(address));
      const network = await provider.acquire("a");
      const target = `${provider.platformHost}:9001`;
      expect(await probe(network, [target])).toEqual({ [target]: "hello" });
      expect(seen).toEqual([network.guestAddress]);
    });

    it("reaches none of the host's services", async () => {
      const provider = await connect();
      const network = await provider.acquire("a");
      const targets = [
        "127.0.0.1:5001",
        "127.0.0.1:5002",
        "::1:5002",
        "198.51.100.2:5002",
        "172.31.0.2:5002",
        "2001:db8:1::2:5002",
        "2001:db8:3::2:5002",
        "10.0.2.2:5001",
        "10.0.2.2:5002",
        `${provider.platformHost}:5002`,
      ];
      const heard = await probe(network, targets, 2000);
      expect(targets.filter((target) => heard[target] === "hello")).toEqual([]);
    });

    it.runIf(egress)("reaches the internet, but no metadata service", async () => {
      const network = await (await connect()).acquire("a");
      const reached = ["203.0.113.10:80", "10.9.9.9:80", ...(ipv6 ? ["2001:db8:2::10:80"] : [])];
      const refused = ["169.254.169.254:80"];
      expect(await probe(network, [...reached, ...refused])).toEqual(
        Object.fromEntries([
          ...reached.map((target) => [target, "hello"]),
          ...refused.map((target) => [target, "ECONNREFUSED"]),
        ]),
      );
    });

    it.runIf(egress)("does not reach the local network where told so", async () => {
      const network = await (await connect({ localNetwork: "deny" })).acquire("a");
      const denied = ["10.9.9.9:80", "100.64.0.9:80", "198.51.100.1:80"];
      expect(await probe(network, ["203.0.113.10:80", ...denied])).toEqual(
        Object.fromEntries([
          ["203.0.113.10:80", "hello"],
          ...denied.map((target) => [target, "ECONNREFUSED"]),
        ]),
      );
    });

    it.runIf(egress)("no longer reaches an address that the host takes on", async () => {
      const clock = new ManualClock();
      const provider = await connect({ clock });
      const network = await provider.acquire("a");
      await machine.script("ip addr add 203.0.113.77/32 dev lo");
      try {
        clock.advance(15_000);
        await until(async () => {
          expect(await probe(network, ["203.0.113.77:5002"])).toEqual({
            "203.0.113.77:5002": "ECONNREFUSED",
          });
        });
      } finally {
        await machine.script("ip addr del 203.0.113.77/32 dev lo");
      }
    });

    it.runIf(egress)(
      "reaches the internet again once the program that carries its packets was killed",
      async () => {
        const clock = new ManualClock();
        const provider = await connect({ clock });
        const network = await provider.acquire("a");
        const target = "203.0.113.10:80";
        expect(await probe(network, [target])).toEqual({ [target]: "hello" });
        const carriers = await processesOf(
          ORDINARY_USER,
          // pasta is another name of passt, which it replaces itself by.
          program === "pasta" ? "pas" : program,
        );
        expect(carriers.length).toBeGreaterThan(0);
        for (const pid of carriers) process.kill(Number(pid), "SIGKILL");
        const down = expect.objectContaining({
          limit: "network: reaching out",
          level: "not enforced",
        }) as unknown;
        await until(() => expect(provider.enforcement()).toContainEqual(down));
        clock.advance(15_000);
        await vi.waitFor(() => expect(provider.enforcement()).not.toContainEqual(down), { timeout: 30_000 });
        await vi.waitFor(async () => expect(await probe(network, [target])).toEqual({ [target]: "hello" }), {
          timeout: 30_000,
        });
        const later = await provider.acquire("b");
        expect(await probe(later, [target])).toEqual({ [target]: "hello" });
      },
    );

    it.runIf(!egress)("reaches nothing beyond the platform", async () => {
      const network = await (await connect()).acquire("a");
      const heard = await probe(network, ["203.0.113.10:80", "2001:db8:2::10:80", "198.51.100.1:80"], 2000);
      expect(Object.values(heard)).not.toContain("hello");
    });

    it("does not reach another environment", async () => {
      const provider = await connect();
      const [attacker, neighbour] = await Promise.all([provider.acquire("a"), provider.acquire("b")]);
      const service = await neighbour.plant("0.0.0.0", 7000);
      services.push(service);
      greet(service);
      const target = `${neighbour.guestAddress}:7000`;
      expect(Object.values(await probe(attacker, [target], 2000))).not.toContain("hello");
      expect(await probe(neighbour, [target])).toEqual({ [target]: "hello" });
    });

    it("has a planted socket on its own loopback", async () => {
      const network = await (await connect()).acquire("a");
      const service = await network.plant("127.0.0.1", 9001);
      services.push(service);
      greet(service);
      expect(await probe(network, ["127.0.0.1:9001"])).toEqual({ "127.0.0.1:9001": "hello" });
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

    it("has no rights over its network, entered by an ordinary user's own sandbox", async () => {
      const network = await (await connect()).acquire("a");
      const sandbox = [...network.enter, "unshare", "--user", "--", "ip", "link", "set", "eth0", "down"];
      const [first = "", ...rest] = sandbox;
      await expect(promisify(execFile)(first, rest, { env: { PATH } })).rejects.toThrow("not permitted");
    });

    it("leaves no process and no change of the host behind", async () => {
      const before = await machine.state();
      const provider = await connect();
      await provider.acquire("a");
      expect((await processesOf(ORDINARY_USER)).length).toBeGreaterThan(0);
      await provider.close();
      await until(async () => expect(await processesOf(ORDINARY_USER)).toEqual([]));
      expect(await machine.state()).toBe(before);
    });
  });
});

/** Process ids, of programs whose names begin with `name`. */
async function processesOf(user: number, name = ""): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const ours = await Promise.all(
    pids.map(async (pid) => {
      try {
        // Its files say root of one that may not be looked into, as pasta.
        const status = await readFile(`/proc/${pid}/status`, "utf8");
        const [, command = "", state = "", uid] =
          /^Name:\s+(\S*)[^]*^State:\s+(\S)[^]*^Uid:\s+(\d+)/m.exec(status) ?? [];
        // One that has ended is there until somebody asks for it.
        return Number(uid) === user && command.startsWith(name) && !/[ZX]/.test(state);
      } catch {
        return false;
      }
    }),
  );
  return pids.filter((_pid, index) => ours[index]);
}
