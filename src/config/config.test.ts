import { describe, expect, it } from "vitest";
import { isLoopback, loadConfig } from "./config.ts";

describe("loadConfig", () => {
  it("lets flags win over the environment, and that over defaults", () => {
    const environment = { HOME: "/home/u", THAW_PORT: "5000", THAW_REGION: "eu-west-1" };
    const config = loadConfig({ port: 6000 }, environment);
    expect(config).toMatchObject({ port: 6000, region: "eu-west-1", account: "000000000000" });
    expect(config.data).toBe("/home/u/.local/share/thaw");
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ port: "70000" }, "--port (THAW_PORT)"],
    [{ account: "12" }, "--account (THAW_ACCOUNT): must be 12 digits"],
    [{ rootKey: "no-colon" }, "--root-key (THAW_ROOT_KEY): must be ID:SECRET"],
    [{ host: "0.0.0.0" }, "demands credentials of your own"],
  ])("refuses %j", (flags, message) => {
    expect(() => loadConfig(flags, {})).toThrow(message);
  });

  it("never repeats a secret in its errors", () => {
    expect(() => loadConfig({ rootKey: "topsecret" }, {})).toThrow(expect.not.stringContaining("topsecret"));
  });

  it("listens beyond loopback with credentials of one's own", () => {
    expect(loadConfig({ host: "0.0.0.0", rootKey: "AKIA1:secret" }, {}).host).toBe("0.0.0.0");
  });

  it("reads booleans of the environment strictly", () => {
    expect(loadConfig({}, { THAW_EPHEMERAL: "1" }).ephemeral).toBe(true);
    expect(() => loadConfig({}, { THAW_EPHEMERAL: "perhaps" })).toThrow("THAW_EPHEMERAL");
  });
});

describe("isLoopback", () => {
  it.each(["127.0.0.1", "127.9.9.9", "::1", "localhost"])("%s is", (host) =>
    expect(isLoopback(host)).toBe(true),
  );
  it.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.com"])("%s is not", (host) =>
    expect(isLoopback(host)).toBe(false),
  );
});
