import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { authorityFile, ownIdentity } from "./own-identity.ts";

const DAY_MS = 24 * 3_600_000;

let folder: string;
let clock: ManualClock;
let names: string[];
const replaced: string[] = [];

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "thaw-tls-")), "tls");
  clock = new ManualClock();
  names = ["localhost", "127.0.0.1", "*.s3.localhost"];
  replaced.length = 0;
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

const load = () =>
  ownIdentity({ folder, names: () => names, clock, ids, onReplaced: (file) => replaced.push(file) }).load();

async function certificates() {
  const { certificate } = await load();
  const authority = new X509Certificate(readFileSync(authorityFile(folder)));
  return { leaf: new X509Certificate(certificate), authority };
}

it("is made once, for its owner alone, and issued by an authority", async () => {
  const { leaf, authority } = await certificates();
  expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(leaf.checkIssued(authority)).toBe(true);
  expect([leaf.checkHost("bucket.s3.localhost"), leaf.checkIP("127.0.0.1")]).not.toContain(undefined);
  const modes = readdirSync(folder).map((name) => [name, statSync(join(folder, name)).mode & 0o777]);
  expect(Object.fromEntries(modes)).toEqual({
    "ca.pem": 0o600,
    "ca-key.pem": 0o600,
    "server.pem": 0o600,
    "server-key.pem": 0o600,
  });
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect((await certificates()).leaf.serialNumber).toBe(leaf.serialNumber);
});

it("is issued anew by the same authority a month before it ends, and for another name", async () => {
  const first = await certificates();
  clock.advance(366 * DAY_MS);
  expect((await certificates()).leaf.serialNumber).toBe(first.leaf.serialNumber);
  clock.advance(2 * DAY_MS);
  const second = await certificates();
  expect(second.leaf.serialNumber).not.toBe(first.leaf.serialNumber);
  names.push("10.0.0.7");
  const third = await certificates();
  expect([second.leaf.checkIP("10.0.0.7"), third.leaf.checkIP("10.0.0.7")]).toEqual([undefined, "10.0.0.7"]);
  // What is known no longer by a name still serves by the others.
  names.pop();
  expect((await certificates()).leaf.serialNumber).toBe(third.leaf.serialNumber);
  expect(third.authority.serialNumber).toBe(first.authority.serialNumber);
  expect(replaced).toEqual([]);
});

it("gets another authority before that ends, or where it was lost, and tells so", async () => {
  const first = await certificates();
  clock.advance(9 * 365 * DAY_MS);
  const second = await certificates();
  expect(second.authority.serialNumber).not.toBe(first.authority.serialNumber);
  expect(second.leaf.verify(second.authority.publicKey)).toBe(true);
  writeFileSync(join(folder, "ca-key.pem"), "damaged");
  const third = await certificates();
  expect(third.leaf.verify(third.authority.publicKey)).toBe(true);
  expect(replaced).toEqual([authorityFile(folder), authorityFile(folder)]);
});

it("is refused with the folder's name where it cannot be kept", async () => {
  writeFileSync(folder, "a file");
  await expect(load()).rejects.toThrow(`The certificate in ${folder} can be neither read nor made`);
});
