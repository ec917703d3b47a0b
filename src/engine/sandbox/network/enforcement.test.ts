import { expect, it } from "vitest";
import { bridgedEnforcement } from "./enforcement.ts";

const facts = { name: "thaw-0", filtered: true, localNetwork: "allow" } as const;

function internet(told: ReturnType<typeof bridgedEnforcement>) {
  return told.find(({ limit }) => limit === "network: internet");
}

it("tells why the internet is not reached though it was asked for, and what to do", () => {
  const told = bridgedEnforcement({
    ...facts,
    kind: "isolated",
    mode: "egress",
    lost: "pasta: no tun device",
  });
  expect(internet(told)).toEqual({
    limit: "network: internet",
    level: "not enforced",
    how: "not reached, though asked for: pasta: no tun device",
    remedy: expect.stringContaining("passt or slirp4netns"),
  });
});

it("finds nothing amiss where no internet was asked for", () => {
  const told = bridgedEnforcement({ ...facts, kind: "isolated", mode: "none" });
  expect(internet(told)).toEqual({ limit: "network: internet", level: "enforced", how: "not reached" });
});
