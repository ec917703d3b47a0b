import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, expect, it } from "vitest";
import { authorityFile } from "../../src/server/tls/own-identity.ts";
import type { DoctorReport } from "../../src/cli/command.ts";
import { thaw } from "../cli/support.ts";
import { temporaryFolder, until } from "../lifecycle/support.ts";
import { startPlatform, type TestPlatform } from "../support/platform.ts";

const folder = temporaryFolder();
let platform: TestPlatform | undefined;
afterEach(async () => {
  await platform?.stop();
});

async function start(...flags: readonly string[]): Promise<TestPlatform> {
  // A bundle that this terminal trusts would be told of, too.
  platform = await startPlatform(["--host", "0.0.0.0", ...flags], { AWS_CA_BUNDLE: "", THAW_CA_BUNDLE: "" });
  return platform;
}

/** The root of the platform, as whoever has this key. */
async function whoIs(url: string, data: string, accessKeyId: string, secretAccessKey: string) {
  const ca = readFileSync(authorityFile(join(data, "tls")), "utf8");
  const credentials = { accessKeyId, secretAccessKey };
  const options = {
    endpoint: url,
    region: "us-east-1",
    maxAttempts: 1,
    requestHandler: { httpsAgent: { ca } },
  };
  const sts = new STSClient({ ...options, credentials });
  try {
    return (await sts.send(new GetCallerIdentityCommand())).Arn;
  } catch (error) {
    return (error as Error).name;
  } finally {
    sts.destroy();
  }
}

it("is made beyond loopback, told by thaw env alone, and the same after a restart", async () => {
  const data = join(folder, "data");
  const { url, output, errors } = await start("--data", data, "--log-level", "trace");
  const file = join(data, "root-key");
  await until(() => expect(output()).toContain(`root key: ${file}, for you alone`));
  expect([statSync(file).mode & 0o777, statSync(data).mode & 0o777]).toEqual([0o600, 0o700]);
  expect(output()).toContain(`thaw env --endpoint ${url} --data ${data})"`);

  const printed = await thaw(["env", "--json", "--endpoint", url, "--data", data]);
  const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = JSON.parse(
    printed.stdout,
  ) as Record<string, string>;
  expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(await whoIs(url, data, id, secret)).toBe("arn:aws:iam::000000000000:root");
  expect(await whoIs(url, data, "123456789012", secret)).toBe("arn:aws:iam::123456789012:root");
  for (const known of ["test", "000000000000"])
    expect(await whoIs(url, data, known, "test")).toMatch(/InvalidClientTokenId|SignatureDoesNotMatch/);
  // Another command of Thaw's, by the variable.
  const outbox = await thaw(["outbox", "--endpoint", url], { env: { THAW_DATA: data } });
  expect(outbox).toMatchObject({ code: 0, stdout: "Nothing was sent yet.\n" });
  expect(await platform?.stop()).toBe(0);
  expect(output() + errors()).not.toContain(secret);
  expect(errors()).toContain("a root key was made");

  const again = await start("--data", data);
  expect(await whoIs(again.url, data, id, secret)).toBe("arn:aws:iam::000000000000:root");
  await platform?.stop();

  const doctor = async () => {
    const { stdout } = await thaw(["doctor", "--json", "--host", "0.0.0.0", "--data", data]);
    return (JSON.parse(stdout) as DoctorReport).checks.find(({ limit }) => limit === "root key");
  };
  expect(await doctor()).toMatchObject({
    level: "enforced",
    how: expect.stringContaining(`kept in ${file}`),
  });
  chmodSync(file, 0o644);
  expect(await doctor()).toMatchObject({
    level: "not enforced",
    remedy: expect.stringContaining("remove it"),
  });
  await expect(start("--data", data)).rejects.toThrow(/ended with 1: .*is open to other users \(mode 644\)/);
  const refused = await thaw(["env", "--endpoint", url, "--data", data]);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain("is open to other users (mode 644)");
});

it("of an ephemeral platform lies in its temporary folder, and goes with it", async () => {
  const { url, output } = await start();
  await until(() => expect(output()).toContain("root key: "));
  const [, data = ""] = / --data (\S+?)\)"/.exec(output()) ?? [];
  const { stdout } = await thaw(["env", "--json", "--endpoint", url, "--data", data]);
  const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = JSON.parse(stdout) as Record<
    string,
    string
  >;
  expect(await whoIs(url, data, id, secret)).toBe("arn:aws:iam::000000000000:root");
  expect(await platform?.stop()).toBe(0);
  expect(() => statSync(data)).toThrow("ENOENT");
});
