import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, it, vi } from "vitest";
import { loadConfig, type RawConfig } from "#config/config";
import { accountOfAccessKey } from "#core/access-key-id";
import { systemIds as ids } from "#core/ids";
import type { PlatformLog } from "#telemetry/platform-log";
import { openRootKey } from "./root-key.ts";

const data = mkdtempSync(join(tmpdir(), "thaw-root-key-"));
const file = join(data, "root-key");
const info = vi.fn<(...said: unknown[]) => void>();
const log = { info } as unknown as PlatformLog;
const open = (flags: RawConfig) => openRootKey(loadConfig(flags, {}), data, { ids, log });
const beyond = { host: "0.0.0.0", account: "123456789012" };
const wellKnown = { key: { id: "test", secret: "test" }, file: undefined };
beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(data, { recursive: true }));

it("is made beyond loopback, kept for its owner alone, and used again", async () => {
  const made = await open(beyond);
  expect(made.file).toBe(file);
  expect(accountOfAccessKey(made.key.id)).toBe("123456789012");
  expect(made.key.secret).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(info).toHaveBeenCalledOnce();
  expect(JSON.stringify(info.mock.calls)).not.toContain(made.key.secret);
  expect(await open(beyond)).toEqual(made);
  expect(info).toHaveBeenCalledOnce();
  rmSync(file);
  expect((await open(beyond)).key).not.toEqual(made.key);
});

it("is what everybody knows on loopback, and with TLS what the folder has", async () => {
  expect(await open({ tls: true })).toEqual(wellKnown);
  const made = await open(beyond);
  expect(await open({ tls: true })).toEqual(made);
  expect(await open({})).toEqual(wellKnown);
});

it("is the operator's where one is given, and nothing is kept", async () => {
  const key = { id: "AKIAX", secret: "s:t" };
  expect(await open({ ...beyond, rootKey: "AKIAX:s:t" })).toEqual({ key, file: undefined });
  expect(() => statSync(file)).toThrow("ENOENT");
});

it("is not replaced where it cannot be used", async () => {
  await open(beyond);
  const before = readFileSync(file, "utf8");
  chmodSync(file, 0o644);
  await expect(open(beyond)).rejects.toThrow("is open to other users (mode 644)");
  expect(readFileSync(file, "utf8")).toBe(before);
});
