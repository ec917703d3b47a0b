import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { createSessions } from "./sessions.ts";

const role = {
  account: "111122223333",
  roleArn: "arn:aws:iam::111122223333:role/worker",
  roleId: "AROAEXAMPLE",
  sessionName: "fn",
  durationMs: 1000,
};

function build(key = Buffer.alloc(32, 1), clock = new ManualClock()) {
  return createSessions({ key, clock, ids: systemIds });
}

describe("sessions", () => {
  it("are opened by any node that has the key, and by no other", () => {
    const minted = build().mint(role);
    expect(minted.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const opened = build().open(minted.accessKeyId, minted.sessionToken);
    expect(opened).toMatchObject({ secretAccessKey: minted.secretAccessKey });
    expect(build(Buffer.alloc(32, 2)).open(minted.accessKeyId, minted.sessionToken)).toBeUndefined();
  });

  it("belong to one access key id, also once the token is known", () => {
    const sessions = build();
    const minted = sessions.mint(role);
    expect(sessions.open(minted.accessKeyId, minted.sessionToken)).toBeTypeOf("object");
    expect(sessions.open("ASIAAAAAAAAAAAAAAAAA", minted.sessionToken)).toBeUndefined();
  });

  it("expire", () => {
    const clock = new ManualClock();
    const sessions = build(Buffer.alloc(32, 1), clock);
    const minted = sessions.mint(role);
    clock.advance(999);
    expect(sessions.open(minted.accessKeyId, minted.sessionToken)).toBeTypeOf("object");
    clock.advance(1);
    expect(sessions.open(minted.accessKeyId, minted.sessionToken)).toBe("expired");
    expect(minted.expiration).toBe(clock.now());
  });

  it("do not show their secret in the token", () => {
    const { secretAccessKey, sessionToken } = build().mint(role);
    expect(Buffer.from(sessionToken, "base64").includes(secretAccessKey)).toBe(false);
  });

  it("are not opened by anything else", () => {
    const sessions = build();
    const { accessKeyId, sessionToken } = sessions.mint(role);
    const bytes = Buffer.from(sessionToken, "base64");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(sessions.open(accessKeyId, changed.toString("base64"))).toBeUndefined();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (token) => {
        expect(sessions.open(accessKeyId, token)).toBeUndefined();
      }),
    );
  });

  it("need a key of 32 bytes", () => {
    expect(() => build(Buffer.alloc(16))).toThrow(RangeError);
  });
});
