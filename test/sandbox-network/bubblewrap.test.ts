import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "#core/clock";
import type { EnvironmentNetwork, NetworkProvider } from "#engine/sandbox/network/contract";
import { openNetwork } from "#engine/sandbox/network/open";
import { PATH } from "#engine/sandbox/network/shell";
import { greet, lacking, Machine, probe } from "./machine.ts";

const users = [
  { who: "root", user: undefined, kind: "bridge" },
  { who: "an ordinary user", user: 54321, kind: "isolated" },
] as const;

/**
 * What a sandbox has: user and process namespaces of its own, no capability, and never root's own user id, which may
 * write the kernel's settings without any.
 */
const BWRAP = [
  "bwrap",
  "--ro-bind",
  "/",
  "/",
  "--proc",
  "/proc",
  "--dev",
  "/dev",
  "--unshare-user",
  "--unshare-pid",
];

describe.each(users)("bubblewrap entered by $who", ({ user, kind }) => {
  const missing = lacking("ip", "nft", "nsenter", "unshare", "setpriv", "bwrap");
  const title = `the network of a sandbox${missing === undefined ? "" : ` (needs ${missing})`}`;

  const drop =
    user === undefined ? ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"] : [];
  const sandbox = [...drop, ...BWRAP];

  describe.skipIf(missing !== undefined)(title, () => {
    let machine: Machine;
    let provider: NetworkProvider;
    let network: EnvironmentNetwork;

    beforeAll(async () => {
      machine = await Machine.boot();
      provider = await openNetwork({
        mode: "egress",
        localNetwork: "allow",
        instance: "one",
        clock: systemClock,
        kinds: [kind],
        prefix: machine.prefix(user),
      });
      greet(await provider.listen(9001));
      network = await provider.acquire("a");
    });

    afterAll(async () => {
      await provider.close();
      await machine.shutDown();
    });

    it("reaches the platform", async () => {
      const target = `${provider.platformHost}:9001`;
      expect(await probe({ enter: [...network.enter, ...sandbox] }, [target])).toEqual({ [target]: "hello" });
    });

    it.each([
      ["change an address", "ip addr add 169.254.100.9/32 dev eth0", /not permitted/],
      ["change a route", "ip route replace default dev lo", /not permitted/],
      ["take its link down", "ip link set eth0 down", /not permitted/],
      ["make a link", "ip link add made type dummy", /not permitted/],
      ["see or change rules", "nft list ruleset && nft add table inet mine", /not permitted/],
      [
        "change a setting of the kernel",
        "echo 1 >/proc/sys/net/ipv4/ip_forward",
        /Read-only|Permission denied|cannot create/,
      ],
      [
        "return to the host's network",
        "nsenter --net=/proc/1/ns/net ip link set eth0 down",
        /not permitted|Permission denied/,
      ],
    ])("cannot %s", async (_what, command, error) => {
      const argv: readonly string[] = [...network.enter, ...sandbox, "sh", "-c", command];
      const [program = "", ...args] = argv;
      await expect(promisify(execFile)(program, args, { env: { PATH } })).rejects.toThrow(error);
    });
  });
});
