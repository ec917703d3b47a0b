import { describe, expect, it } from "vitest";
import { loadConfig, otlpEnvironment } from "./config.ts";

describe("loadConfig", () => {
  it("lets flags win over the environment, and that over defaults", () => {
    const environment = { HOME: "/home/u", THAW_PORT: "5000", THAW_REGION: "eu-west-1" };
    const config = loadConfig({ port: 6000 }, environment);
    expect(config).toMatchObject({ port: 6000, region: "eu-west-1", account: "000000000000" });
    expect(config.data).toBe("/home/u/.local/share/thaw");
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [{ port: "70000" }, "--port (THAW_PORT): must be a whole number from 0 to 65535"],
    [{ port: "http" }, "--port (THAW_PORT): must be a whole number from 0 to 65535"],
    [{ grace: "soon" }, "--grace (THAW_GRACE): must be a number of seconds"],
    [{ logLevel: "loud" }, "--log-level (THAW_LOG_LEVEL): must be trace, debug, info"],
    [{ data: "" }, "--data (THAW_DATA): must be a folder"],
    [{ account: "12" }, "--account (THAW_ACCOUNT): must be 12 digits"],
    [{ rootKey: "no-colon" }, "--root-key (THAW_ROOT_KEY): must be ID:SECRET"],
    [
      { xrayDaemon: "0.0.0.0:2000" },
      "--xray-daemon (THAW_XRAY_DAEMON): must be a port, or an address of loopback",
    ],
    [{ otlp: "localhost:4318" }, "--otlp (THAW_OTLP): must be an address such as http://127.0.0.1:4318"],
    [{ otlp: "http://me:secret@localhost:4318" }, "without a user or password"],
    [{ xrayDaemon: "70000" }, "--xray-daemon (THAW_XRAY_DAEMON): must be a port"],
    [{ host: "0.0.0.0", rootKey: "test:test" }, "demands credentials of your own"],
    [{ host: "0.0.0.0", rootKey: "AKIA1:test" }, "demands credentials of your own"],
    [{ tlsCert: "cert.pem" }, "--tls-cert and --tls-key (THAW_TLS_CERT, THAW_TLS_KEY) belong together"],
    [{ tlsNames: "a b" }, "--tls-names (THAW_TLS_NAMES): must be names and addresses with commas"],
  ])("refuses %j", (flags, message) => {
    expect(() => loadConfig(flags, {})).toThrow(message);
  });

  it("never repeats a secret in its errors", () => {
    expect(() => loadConfig({ rootKey: "topsecret" }, {})).toThrow(expect.not.stringContaining("topsecret"));
  });

  it("listens beyond loopback with credentials of one's own, or such as are to be made", () => {
    expect(loadConfig({ host: "0.0.0.0", rootKey: "AKIA1:secret" }, {}).rootKey).toBe("AKIA1:secret");
    expect(loadConfig({ host: "0.0.0.0" }, {}).rootKey).toBeUndefined();
  });

  it.each([
    ["2000", { host: "127.0.0.1", port: 2000 }],
    ["localhost:2000", { host: "localhost", port: 2000 }],
    ["[::1]:2000", { host: "::1", port: 2000 }],
  ])("reads an address on loopback: %s", (xrayDaemon, expected) => {
    expect(loadConfig({}, { THAW_XRAY_DAEMON: xrayDaemon }).xrayDaemon).toEqual(expected);
  });

  it("speaks TLS beyond loopback always, and on loopback where it is asked for", () => {
    const beyond = { host: "::", rootKey: "AKIA1:secret" };
    expect(loadConfig(beyond, { THAW_TLS: "false" }).tls).toBe(true);
    expect(loadConfig({}, {}).tls).toBe(false);
    expect(loadConfig({ tls: true }, {}).tls).toBe(true);
    const given = loadConfig({ tlsCert: "/a/cert.pem" }, { THAW_TLS_KEY: "/a/key.pem" });
    expect(given).toMatchObject({ tls: true, tlsCert: "/a/cert.pem", tlsKey: "/a/key.pem" });
  });

  it("finds a collector as OpenTelemetry's SDKs do", () => {
    const OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318";
    expect(loadConfig({}, { OTEL_EXPORTER_OTLP_ENDPOINT }).otlp).toBe(OTEL_EXPORTER_OTLP_ENDPOINT);
    expect(loadConfig({ otlp: "https://a" }, { OTEL_EXPORTER_OTLP_ENDPOINT }).otlp).toBe("https://a");
    const variables = { OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Basic%20a, x-b=c=d,,e" };
    expect(otlpEnvironment(variables)).toEqual({
      headers: { authorization: "Basic a", "x-b": "c=d" },
      metricIntervalMs: 60_000,
    });
  });

  it("reads booleans of the environment strictly", () => {
    expect(loadConfig({}, { THAW_EPHEMERAL: "1" }).ephemeral).toBe(true);
    expect(() => loadConfig({}, { THAW_EPHEMERAL: "perhaps" })).toThrow("THAW_EPHEMERAL");
  });
});
