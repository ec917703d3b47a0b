import { assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { freeRanges, subnetAt, tagOf } from "./addresses.ts";

describe("the subnets of environments", () => {
  it("begin with the one where AWS's own Runtime API address lies", () => {
    const [first = 0] = freeRanges([]);
    const subnet = subnetAt(first, tagOf("/data"), true);
    expect([subnet.platform4, subnet.v4]).toEqual(["169.254.100.1", "169.254.96.0/20"]);
    expect(subnet.v6).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]{4}:7468:6177::\/64$/);
  });

  it("never hold a cloud's metadata service, and give each slot addresses of its own", () => {
    for (const range of freeRanges([])) {
      const subnet = subnetAt(range, "00000", true);
      const all = [...subnet.slots.flatMap((slot) => [slot.v4, slot.v6]), subnet.platform4, subnet.platform6];
      expect(new Set(all).size).toBe(all.length);
      expect(
        all.filter((address) => address.startsWith("169.254.169.") || address.startsWith("169.254.0.")),
      ).toEqual([]);
    }
  });

  it.each([
    ["169.254.96.0/20", 112],
    ["169.254.100.7", 112],
    ["169.254.96.0/19", 128],
    ["169.254.0.0/16", 96],
    ["10.0.0.0/8", 96],
    ["fd00::/64", 96],
  ])("avoid %s", (destination, preferred) => {
    expect(freeRanges([destination])[0]).toBe(preferred);
  });

  it("never overlap a more specific route than the whole link-local range", () => {
    const octet = integer({ min: 0, max: 255 });
    assert(
      property(octet, octet, integer({ min: 17, max: 32 }), (third, fourth, bits) => {
        const size = 2 ** (32 - bits);
        const start = Math.floor((third * 256 + fourth) / size) * size;
        for (const range of freeRanges([`169.254.${start >> 8}.${start & 255}/${bits}`])) {
          const base = range * 256;
          expect(start + size <= base || base + 4096 <= start).toBe(true);
        }
      }),
    );
  });
});
