import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { LocalBlobs } from "#storage/local/blobs";
import { buildLayout, writeLayout } from "../../../test/images/layout.ts";
import { zip } from "../../../test/engine/zip.ts";
import type { CodePackage } from "../contract.ts";
import { Deployments } from "./deployments.ts";
import { FolderUse } from "./folder-use.ts";
import { ImageStore } from "./images/store.ts";
import { GRACE_MS, Reclaimer } from "./reclaimer.ts";
import { CodeStore, mergedFolder } from "./store.ts";

const NOTHING: ReadonlySet<string> = new Set();

let folder: string;
let clock: ManualClock;
let blobs: LocalBlobs;
let use: FolderUse;
let deployments: Deployments;
let code: CodeStore;
let images: ImageStore;
let reclaimer: Reclaimer;
let gone: string[];
let whenGone: () => void;

async function open(): Promise<void> {
  blobs = await LocalBlobs.open(join(folder, "blobs"), systemIds);
  use = new FolderUse(clock);
  deployments = new Deployments();
  images = new ImageStore({
    folder: join(folder, "roots"),
    blobs,
    ids: systemIds,
    use,
    imagesFolder: folder,
  });
  code = new CodeStore({ folder: join(folder, "code"), blobs, ids: systemIds, use });
  await Promise.all([code.clean(), images.clean()]);
  gone = [];
  whenGone = () => undefined;
  const onGone = (path: string): void => {
    gone.push(path);
    whenGone();
  };
  reclaimer = new Reclaimer({ clock, use, deployments, stores: [code, images], onGone });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "thaw-reclaim-"));
  clock = new ManualClock();
  await open();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function deploy(text: string): Promise<CodePackage> {
  const { id, bytes } = await blobs.put(zip([{ name: "index.js", data: text }]));
  const stored = { blob: id, sha256: "", bytes };
  await code.prepare(stored);
  return stored;
}

/** Looks twice, as far apart as what is to go must have been without need. */
async function twice(kept = NOTHING): Promise<number> {
  await reclaimer.reclaim(kept);
  clock.advance(GRACE_MS);
  return (await reclaimer.reclaim(kept)).removed;
}

describe("giving back the room of code", () => {
  it("removes what nothing refers to, folder and blob, and keeps the rest", async () => {
    const [old, kept] = [await deploy("old"), await deploy("kept")];
    expect(await reclaimer.reclaim(new Set([kept.blob]))).toEqual({ removed: 0, waiting: 1 });
    clock.advance(GRACE_MS - 1);
    expect(await reclaimer.reclaim(new Set([kept.blob]))).toEqual({ removed: 0, waiting: 1 });
    clock.advance(1);
    expect(await reclaimer.reclaim(new Set([kept.blob]))).toEqual({ removed: 1, waiting: 0 });
    expect(readdirSync(join(folder, "code"))).toEqual([kept.blob]);
    expect([await blobs.has(old.blob), await blobs.has(kept.blob)]).toEqual([false, true]);
    expect(gone).toEqual([code.path(old.blob)]);
  });

  it("begins anew for what was referred to again", async () => {
    const { blob } = await deploy("comes and goes");
    await reclaimer.reclaim(NOTHING);
    clock.advance(GRACE_MS);
    await reclaimer.reclaim(new Set([blob]));
    expect(await reclaimer.reclaim(NOTHING)).toEqual({ removed: 0, waiting: 1 });
  });

  it("keeps what an environment has in its view, and for a while after", async () => {
    const { blob } = await deploy("runs");
    const letGo = use.hold([code.path(blob), undefined]);
    expect(await twice()).toBe(0);
    letGo();
    letGo();
    expect((await reclaimer.reclaim(NOTHING)).removed).toBe(0);
    expect(await twice()).toBe(1);
  });

  it("keeps what was asked for of late", async () => {
    const stored = await deploy("asked for");
    await reclaimer.reclaim(NOTHING);
    clock.advance(GRACE_MS);
    await code.prepare(stored);
    expect((await reclaimer.reclaim(NOTHING)).removed).toBe(0);
  });

  it("removes nothing while something is deployed, and makes deployments wait for it", async () => {
    const { blob } = await deploy("again");
    await reclaimer.reclaim(NOTHING);
    clock.advance(GRACE_MS);
    let finish = (): void => undefined;
    const deploying = deployments.during(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    expect(await reclaimer.reclaim(NOTHING)).toEqual({ removed: 0, waiting: 1 });
    finish();
    await deploying;
    let again: Promise<CodePackage> | undefined;
    whenGone = () => {
      again = deployments.during(() => deploy("again"));
    };
    expect((await reclaimer.reclaim(NOTHING)).removed).toBe(1);
    expect((await again)?.blob).toBe(blob);
    expect(existsSync(join(code.path(blob), "index.js"))).toBe(true);
    expect(await blobs.has(blob)).toBe(true);
  });

  it("removes merged layers by themselves", async () => {
    const layers = [await deploy("one"), await deploy("two")];
    const merged = mergedFolder(layers.map(({ blob }) => blob));
    await code.prepareLayers(layers);
    expect(await twice(new Set(layers.map(({ blob }) => blob)))).toBe(1);
    expect(readdirSync(join(folder, "code")).toSorted()).toEqual(layers.map(({ blob }) => blob).toSorted());
    expect(merged).toMatch(/^layers-/);
  });

  it("finds again what a crash left between blob and folder", async () => {
    const { blob } = await deploy("half gone");
    await blobs.remove(blob);
    await open();
    expect(await twice()).toBe(1);
    expect(readdirSync(join(folder, "code"))).toEqual([]);
  });

  it("removes an image's blobs but for those that another one shares", async () => {
    const shared = [{ name: "base", data: "base" }];
    const layout = await buildLayout([
      { layers: [shared, [{ name: "a", data: "a" }]], tag: "a" },
      { layers: [shared, [{ name: "b", data: "b" }]], tag: "b" },
    ]);
    mkdirSync(join(folder, "app"), { recursive: true });
    writeLayout(join(folder, "app"), layout);
    const packages = [];
    for (const tag of ["a", "b"]) packages.push(await images.resolve(`oci:app:${tag}`, "x86_64"));
    for (const each of packages) await images.prepare(each);
    const before = await ids();
    const [first, second] = packages as [CodePackage, CodePackage];
    expect(await twice(new Set([second.blob]))).toBe(1);
    expect(readdirSync(join(folder, "roots"))).toEqual([second.blob]);
    // Its manifest, its configuration and its own layer.
    expect(before.size - (await ids()).size).toBe(3);
    expect(await blobs.has(first.blob)).toBe(false);
    rmSync(join(folder, "roots", second.blob), { recursive: true });
    await open();
    expect((await images.prepare(second)).root).toBe(images.path(second.blob));
    expect(await twice()).toBe(1);
    expect((await ids()).size).toBe(0);
  });
});

async function ids(): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { id } of blobs.list()) found.add(id);
  return found;
}
