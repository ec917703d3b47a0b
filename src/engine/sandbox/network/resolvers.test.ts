import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findResolvers, nameServers } from "./resolvers.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "thaw-resolvers-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function files(...texts: readonly string[]): Promise<string[]> {
  const names = texts.map((_, index) => join(folder, String(index)));
  await Promise.all(names.map((name, index) => writeFile(name, texts[index] ?? "")));
  return names;
}

it("reads name servers, and nothing that is no address", () => {
  expect(
    nameServers("# nameserver 1.1.1.1\nnameserver 192.0.2.1\nnameserver\tfd00::1\nnameserver $(x)\n"),
  ).toEqual(["192.0.2.1", "fd00::1"]);
});

it("passes over a resolver on loopback for the servers that it asks", async () => {
  const names = await files("nameserver 127.0.0.53\n", "nameserver 192.0.2.1\n");
  expect(await findResolvers(names)).toEqual({ servers: ["192.0.2.1"], any: true });
});

it("tells a host with a resolver on loopback alone from one with none", async () => {
  const names = await files("nameserver ::1\n", "");
  expect(await findResolvers(names)).toEqual({ servers: [], any: true });
  expect(await findResolvers([join(folder, "absent")])).toEqual({ servers: [], any: false });
});
