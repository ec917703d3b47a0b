import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { givenIdentity, type TlsIdentity } from "./identity.ts";
import { ownIdentity } from "./own-identity.ts";
import { watchIdentity } from "./watch.ts";

let folder: string;
const clock = new ManualClock();
let [one, other]: TlsIdentity[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-tls-"));
  const make = (name: string) =>
    ownIdentity({ folder: join(folder, name), names: () => ["localhost"], clock, ids }).load();
  [one, other] = [await make("one"), await make("other")];
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

function put(certificate: string | undefined, privateKey: string | undefined): void {
  if (certificate !== undefined) writeFileSync(file("cert.pem"), certificate);
  if (privateKey !== undefined) writeFileSync(file("key.pem"), privateKey);
}

const source = () => givenIdentity(file("cert.pem"), file("key.pem"));

it("takes a certificate with its key", async () => {
  put(one?.certificate, one?.privateKey);
  expect(await source().load()).toEqual(one);
});

it.each([
  [
    "a file that is not there",
    () => givenIdentity(file("nowhere.pem"), file("key.pem")),
    /--tls-cert: cannot read .*ENOENT/,
  ],
  [
    "another key",
    () => (put(one?.certificate, other?.privateKey), source()),
    /--tls-key: .* is not the key of/,
  ],
  [
    "no certificate",
    () => (put("hello", one?.privateKey), source()),
    /--tls-cert: .* holds no certificate in PEM/,
  ],
  ["no key", () => (put(one?.certificate, "hello"), source()), /--tls-key: .* holds no private key in PEM/],
  ["an encrypted key", () => (put(one?.certificate, encrypted()), source()), /--tls-key: .* is encrypted/],
])("refuses %s, and says which", async (_, make, message) => {
  put(one?.certificate, one?.privateKey);
  await expect(make().load()).rejects.toThrow(message);
});

function encrypted(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
    .toString();
}

it("is replaced when another one is there, whole; until then, why not is told once", async () => {
  if (one === undefined || other === undefined) throw new Error("no certificates");
  put(one.certificate, one.privateKey);
  const changes: TlsIdentity[] = [];
  const refusals: string[] = [];
  const time = new ManualClock();
  let last: Promise<unknown> = Promise.resolve();
  const files = source();
  const end = watchIdentity({
    source: { ...files, load: () => ((last = files.load()), last as Promise<TlsIdentity>) },
    current: one,
    clock: time,
    onChange: (identity) => changes.push(identity),
    onRefused: (error) => refusals.push(String(error)),
  });
  /** A look begins with the clock and ends when the files are read. */
  const look = async (): Promise<void> => {
    time.advance(5000);
    await last.catch(() => undefined);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await look();
  expect([changes, refusals]).toEqual([[], []]);
  put(other.certificate, undefined);
  await look();
  await look();
  expect(changes).toEqual([]);
  expect(refusals).toEqual([expect.stringContaining("is not the key of the certificate")]);
  put(undefined, other.privateKey);
  await look();
  await look();
  expect(changes).toEqual([other]);
  expect(refusals).toHaveLength(1);
  end();
  put(one.certificate, one.privateKey);
  await look();
  expect(changes).toEqual([other]);
});
