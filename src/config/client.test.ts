import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  isFoundByClients,
  loadClientConfig,
  loadClientConfigForTools,
  type RawClientConfig,
  variablesInTheWay,
} from "./client.ts";
import { rootKeyFile, rootKeyText } from "./root-key-file.ts";

const AWS = {
  AWS_ENDPOINT_URL: "http://127.0.0.1:5001",
  AWS_ACCESS_KEY_ID: "AKIAX",
  AWS_SECRET_ACCESS_KEY: "s3",
  AWS_SESSION_TOKEN: "token",
  AWS_REGION: "eu-west-1",
  AWS_DEFAULT_REGION: "eu-west-2",
};
const THAW = {
  THAW_ENDPOINT: "http://127.0.0.1:5002",
  THAW_ROOT_KEY: "AKIAT:th:aw",
  THAW_REGION: "eu-west-3",
};

describe("loadClientConfig", () => {
  it("has defaults", () => {
    expect(loadClientConfig({}, {})).toEqual({
      endpoint: "http://127.0.0.1:4566",
      region: "us-east-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      credentialsFrom: "default",
    });
  });

  it("takes AWS's variables over defaults", () => {
    expect(loadClientConfig({}, AWS)).toEqual({
      endpoint: "http://127.0.0.1:5001",
      region: "eu-west-1",
      credentials: { accessKeyId: "AKIAX", secretAccessKey: "s3", sessionToken: "token" },
      credentialsFrom: "AWS_ACCESS_KEY_ID",
    });
    expect(loadClientConfig({}, { AWS_DEFAULT_REGION: "eu-west-2" }).region).toBe("eu-west-2");
  });

  it("takes Thaw's variables over AWS's, without mixing two key pairs", () => {
    expect(loadClientConfig({}, { ...AWS, ...THAW })).toEqual({
      endpoint: "http://127.0.0.1:5002",
      region: "eu-west-3",
      credentials: { accessKeyId: "AKIAT", secretAccessKey: "th:aw" },
      credentialsFrom: "THAW_ROOT_KEY",
    });
  });

  it("takes flags over all", () => {
    const flags = { endpoint: "http://127.0.0.1:5003", region: "ap-south-1", rootKey: "123456789012:test" };
    expect(loadClientConfig(flags, { ...AWS, ...THAW })).toEqual({
      endpoint: "http://127.0.0.1:5003",
      region: "ap-south-1",
      credentials: { accessKeyId: "123456789012", secretAccessKey: "test" },
      credentialsFrom: "--root-key",
    });
  });

  it.each([
    [{ THAW_PORT: "5000" }, "http://127.0.0.1:5000"],
    [{ THAW_HOST: "0.0.0.0", AWS_ENDPOINT_URL: "http://a" }, "https://127.0.0.1:4566"],
    [{ THAW_HOST: "::" }, "https://[::1]:4566"],
    [{ THAW_HOST: "fd00::1", THAW_PORT: "1" }, "https://[fd00::1]:1"],
    [{ THAW_HOST: "127.0.0.1", THAW_TLS: "true" }, "https://127.0.0.1:4566"],
    [{ THAW_PORT: "1", THAW_TLS: "no" }, "http://127.0.0.1:1"],
    [{ THAW_PORT: "1", THAW_TLS_CERT: "/cert.pem" }, "https://127.0.0.1:1"],
  ])("finds the platform that %j starts", (environment, endpoint) =>
    expect(loadClientConfig({}, environment).endpoint).toBe(endpoint),
  );

  it.each([
    [{}, { AWS_ACCESS_KEY_ID: "a" }, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"],
    [{}, { AWS_SECRET_ACCESS_KEY: "a" }, "AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID"],
    [{}, { AWS_ENDPOINT_URL: "localhost:4566" }, "AWS_ENDPOINT_URL: must be an address such as http://"],
    [{ endpoint: "nonsense" }, {}, "--endpoint: must be an address"],
    [{ region: "mars" }, {}, "--region: must be a region such as us-east-1"],
    [{ rootKey: "mysecret" }, {}, "--root-key: must be ID:SECRET"],
  ])("refuses %j with %j", (flags, environment, message) => {
    expect(() => loadClientConfig(flags, environment)).toThrow(message);
    expect(() => loadClientConfig(flags, environment)).not.toThrow("mysecret");
  });
});

describe("the variables for AWS's tools", () => {
  it("are not those of a real account that happens to be set", () => {
    const { AWS_ENDPOINT_URL: _, ...real } = AWS;
    const config = loadClientConfigForTools({}, real);
    expect(config).toMatchObject({ region: "eu-west-1", credentialsFrom: "default" });
    expect(config.credentials).toEqual({ accessKeyId: "test", secretAccessKey: "test" });
    expect(variablesInTheWay(config, { ...real, AWS_PROFILE: "work" })).toEqual([
      "AWS_PROFILE",
      "AWS_SESSION_TOKEN",
    ]);
  });

  it("stay what they are where they point at a platform", () => {
    const config = loadClientConfigForTools({}, AWS);
    expect(config).toEqual(loadClientConfig({}, AWS));
    expect(variablesInTheWay(config, AWS)).toEqual([]);
  });
});

describe("the root key that a platform made", () => {
  const kept = { id: "AKIAQAAAAAAAAAAAAAAA", secret: "a".repeat(40) };
  const endpoint = "https://127.0.0.1:4566";
  const found = (flags: RawClientConfig, environment = {}) =>
    loadClientConfig({ endpoint, ...flags }, environment).credentials.accessKeyId;

  it("is found in the data folder, for https alone and after every key that is said", () => {
    const data = mkdtempSync(join(tmpdir(), "thaw-client-"));
    writeFileSync(rootKeyFile(data), rootKeyText(kept), { mode: 0o600 });
    expect(loadClientConfig({ endpoint, data }, {})).toMatchObject({
      credentials: { accessKeyId: kept.id, secretAccessKey: kept.secret },
      credentialsFrom: join(data, "root-key"),
    });
    expect(found({}, { THAW_DATA: data })).toBe(kept.id);
    expect(found({ endpoint: "http://127.0.0.1:4566", data })).toBe("test");
    expect(found({ data, rootKey: "AKIAX:y" })).toBe("AKIAX");
    expect(found({ data }, THAW)).toBe("AKIAT");
    expect(found({ data }, AWS)).toBe("AKIAX");
    const { AWS_ENDPOINT_URL: _, ...real } = AWS;
    expect(loadClientConfigForTools({ endpoint, data }, real).credentials.accessKeyId).toBe(kept.id);
    rmSync(data, { recursive: true });
    expect(found({ data })).toBe("test");
  });

  it("needs no word of the folder that everybody looks into", () => {
    const environment = { HOME: "/home/u" };
    expect(isFoundByClients("/home/u/.local/share/thaw", environment)).toBe(true);
    expect(isFoundByClients("/data", environment)).toBe(false);
    // The next terminal may not have the variable.
    expect(isFoundByClients("/data", { ...environment, THAW_DATA: "/data" })).toBe(false);
    expect(isFoundByClients("/home/u/.local/share/thaw", { ...environment, THAW_DATA: "/data" })).toBe(false);
  });
});

describe("whom to trust", () => {
  const endpoint = "https://thaw.example";

  it("is said by the flag, Thaw's variable and AWS's, for https alone", () => {
    const environment = { THAW_CA_BUNDLE: "/thaw.pem", AWS_CA_BUNDLE: "/aws.pem" };
    expect(loadClientConfig({ endpoint, caBundle: "/flag.pem" }, environment).caBundle).toBe("/flag.pem");
    expect(loadClientConfig({ endpoint }, environment).caBundle).toBe("/thaw.pem");
    expect(loadClientConfig({ endpoint }, { AWS_CA_BUNDLE: "/aws.pem" }).caBundle).toBe("/aws.pem");
    expect(loadClientConfig({}, environment)).not.toHaveProperty("caBundle");
  });

  it("is the authority of the data folder where there is one", () => {
    const folder = mkdtempSync(join(tmpdir(), "thaw-client-"));
    const environment = { THAW_DATA: folder };
    expect(loadClientConfig({ endpoint }, environment)).not.toHaveProperty("caBundle");
    mkdirSync(join(folder, "tls"));
    writeFileSync(join(folder, "tls", "ca.pem"), "");
    expect(loadClientConfig({ endpoint }, environment).caBundle).toBe(join(folder, "tls", "ca.pem"));
    rmSync(folder, { recursive: true });
  });
});
