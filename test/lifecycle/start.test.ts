import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ensureBuilt } from "../support/built.ts";
import { startPlatform } from "../support/platform.ts";
import { run } from "../support/tools.ts";
import { health, temporaryFolder } from "./support.ts";

const folder = temporaryFolder();

/** Runs `thaw up`, which is to end by itself. */
async function up(...flags: string[]) {
  const dist = await ensureBuilt();
  return run(process.execPath, [join(dist, "main.js"), "up", ...flags]);
}

it.concurrent("refuses a data folder that another platform holds, which runs on", async () => {
  const data = join(folder, "held");
  const platform = await startPlatform(["--data", data]);
  const refused = await up("--data", data, "--port", "0");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toBe(
    `thaw: the data folder ${data} is in use by process ${platform.pid}; stop it, or choose another folder\n`,
  );
  expect(await health(platform.url)).toMatchObject({ status: "ready" });
  expect(await platform.stop()).toBe(0);
});

it.concurrent("refuses a port that is in use, and lets go of its data folder", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const data = join(folder, "port");
  const refused = await up("--data", data, "--port", String(port));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toBe(
    `thaw: Port ${port} of 127.0.0.1 is in use. Is another thaw running? Choose another port with --port.\n`,
  );
  server.close();
  const platform = await startPlatform(["--data", data]);
  expect(await platform.stop()).toBe(0);
});

it.concurrent("leaves no temporary folder where it cannot listen", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const temporary = join(folder, "refused");
  mkdirSync(temporary);
  const dist = await ensureBuilt();
  const refused = await run(
    process.execPath,
    [join(dist, "main.js"), "up", "--ephemeral", "--port", String(port)],
    {
      env: { TMPDIR: temporary },
    },
  );
  server.close();
  expect(refused.code).toBe(1);
  expect(readdirSync(temporary)).toEqual([]);
});

it.concurrent.each([
  ["is not Thaw's", "thesis.tex", "42", /is not empty and not a data folder of Thaw; choose another folder/],
  [
    "a newer Thaw wrote",
    "VERSION",
    '{"product":"thaw","format":99,"ready":true}',
    /has format 99, written by a newer Thaw/,
  ],
  ["is damaged", "VERSION", '{"product":"th', /is damaged: its VERSION file cannot be read/],
  ["lost its database", "VERSION", '{"product":"thaw","format":1,"ready":true}', /state\.mdb is missing/],
])("refuses a data folder that %s, and leaves it as it was", async (name, file, content, message) => {
  const data = join(folder, name.replaceAll(" ", "-"));
  mkdirSync(data);
  writeFileSync(join(data, file), content);
  const refused = await up("--data", data, "--port", "0");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(message);
  expect(refused.stderr).not.toMatch(/\n\s+at /);
  expect(readdirSync(data).filter((entry) => entry !== "lock")).toEqual([file]);
});

it.concurrent.each([
  [["--port", "70000"], /--port \(THAW_PORT\)/],
  [["--host", "0.0.0.0", "--root-key", "test:test"], /beyond loopback, demands credentials/],
  [["--nonsense"], /unknown option/],
])("takes %j as bad usage", async (flags, message) => {
  const refused = await up(...flags);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(message);
});
