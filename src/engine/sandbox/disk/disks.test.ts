import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock, systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { findCgroups } from "../cgroups/find.ts";
import type { ScratchDisks } from "./contract.ts";
import { findScratchDisks } from "./find.ts";
import { mountsBelow } from "./mountinfo.ts";
import { runHere } from "./run.ts";
import { exceeds } from "./usage.ts";
import { WatchedDisks } from "./watched-disks.ts";

const MB = 1024 * 1024;
const root = mkdtempSync(join(tmpdir(), "thaw-disks-"));
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const NONE = { least: 0, most: 0 };
const common = { owner, run: runHere, spares: { least: 1, most: 1 }, ids: systemIds, clock: systemClock };
const probe = await findScratchDisks({ ...common, folder: join(root, "probe") });
const hasImages = probe.method === "image";
await probe.close();

const methods: readonly ("image" | "watched")[] = hasImages ? ["image", "watched"] : ["watched"];

async function open(method: "image" | "watched", folder: string, least = 1): Promise<ScratchDisks> {
  if (method === "image") return findScratchDisks({ ...common, spares: { least, most: least }, folder });
  return new WatchedDisks({ ...common, spares: { least, most: least }, folder });
}

function mounts(folder: string): readonly string[] {
  return mountsBelow(folder, readFileSync("/proc/self/mountinfo", "utf8"));
}

/** Loop devices detach themselves a moment after the unmount. */
async function untilNoLoops(folder: string): Promise<void> {
  for (let look = 0; ; look++) {
    const list = await runHere(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"]);
    if (!list.includes(folder)) return;
    if (look > 1000) throw new Error(`loop devices are left:\n${list}`);
    await delay(5);
  }
}

afterAll(async () => {
  const left = mounts(root);
  for (const path of left) await runHere(["umount", "--lazy", path]);
  if (hasImages) await untilNoLoops(root);
  rmSync(root, { recursive: true, force: true });
  expect(left).toEqual([]);
});

describe.each(methods)("scratch disks, %s", { timeout: 60_000 }, (method) => {
  const folder = join(root, method);
  let disks: ScratchDisks;

  beforeAll(async () => {
    disks = await open(method, folder);
    expect(disks.method).toBe(method);
  });
  afterAll(async () => {
    await disks.close();
    await disks.close();
    expect(mounts(folder)).toEqual([]);
    await expect(disks.take("late", 512)).rejects.toThrow(/closed/u);
  });

  it("gives each environment an empty directory of its own, its owner's alone", async () => {
    const [one, two] = await Promise.all([disks.take("one", 512), disks.take("two", 512)]);
    expect(readdirSync(one.path)).toEqual([]);
    expect(statSync(one.path)).toMatchObject({ ...owner, mode: 0o40700 });
    writeFileSync(join(one.path, "secret"), "x");
    expect(readdirSync(two.path)).toEqual([]);
    await expect(disks.take("one", 512)).rejects.toThrow(/already/u);
    await one.release();
    await one.release();
    expect(existsSync(join(one.path, "secret"))).toBe(false);
    const again = await disks.take("one", 512);
    expect(readdirSync(again.path)).toEqual([]);
    await Promise.all([two.release(), again.release()]);
  });

  it("cleans up what a platform that died has left, and keeps what is in use", async () => {
    const place = join(root, `crashed-${method}`);
    const crashed = await open(method, place, 0);
    const left = await crashed.take("left", 512);
    mkdirSync(join(left.path, "deep"));
    writeFileSync(join(left.path, "deep", "file"), "x");
    const next = await open(method, place);
    const kept = await next.take("kept", 512);
    writeFileSync(join(kept.path, "file"), "x");
    await next.clean();
    expect(existsSync(join(left.path, "deep"))).toBe(false);
    expect(readdirSync(kept.path)).toEqual(["file"]);
    await next.close();
    expect(mounts(place)).toEqual([]);
    // The first one's own book says that it still has them.
    await crashed.close();
    if (method === "image") await untilNoLoops(place);
  });

  it.skipIf(!hasImages)("refuses a disk that the host has no room for", async () => {
    const small = await findScratchDisks({ ...common, spares: NONE, folder: join(root, `host-${method}`) });
    const host = await small.take("host", 600);
    const inner = await open(method, host.path);
    const first = await inner.take("first", 512);
    await runHere(["fallocate", "-l", "200M", join(host.path, "ballast")]);
    await expect(inner.take("second", 512)).rejects.toThrow(/MB left, too little/u);
    rmSync(join(host.path, "ballast"));
    await (await inner.take("second", 512)).release();
    await first.release();
    await inner.close();
    await small.close();
  });
});

describe.skipIf(!hasImages)("scratch disks as images", { timeout: 60_000 }, () => {
  const folder = join(root, "images");
  let disks: ScratchDisks;

  beforeAll(async () => {
    disks = await findScratchDisks({ ...common, folder });
  });
  afterAll(async () => disks.close());

  /** Writes until the disk is full. */
  async function fill(path: string): Promise<string> {
    const child = spawn("dd", ["if=/dev/zero", `of=${path}`, "bs=1M"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    for await (const chunk of child.stderr) text += String(chunk);
    return text;
  }

  it.each([512, 513, 1000, 3000, 10_240])("has room for %i MB, hardly more", async (sizeMb) => {
    const disk = await disks.take("sized", sizeMb);
    const { bavail, bsize, files } = statfsSync(disk.path);
    expect(bavail * bsize).toBeGreaterThanOrEqual(sizeMb * MB);
    expect(bavail * bsize).toBeLessThanOrEqual((sizeMb + 2) * MB);
    expect(files).toBeGreaterThanOrEqual(sizeMb * 64);
    await disk.release();
  });

  it("is mounted so that neither devices nor set-user-id programs work", async () => {
    const disk = await disks.take("flags", 512);
    const line = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((text) => text.includes(disk.path));
    expect(line).toMatch(/ [^ ]*nosuid,nodev[^ ]* /u);
    await disk.release();
  });

  it("takes no more of the host's disk than is written, and starts as zeros", async () => {
    const used = await disks.take("used", 512);
    writeFileSync(join(used.path, "secret"), Buffer.alloc(8 * MB, "secret"));
    await runHere(["sync", "-f", used.path]);
    await used.release();
    const fresh = await disks.take("fresh", 512);
    const image = readdirSync(join(folder, "images")).map(
      (name) => statSync(join(folder, "images", name)).blocks * 512,
    );
    for (const bytes of image) expect(bytes).toBeLessThan(2 * MB);
    await fresh.release();
  });

  it("refuses a file too many, when no inode is left", async () => {
    const disk = await disks.take("inodes", 512);
    const { files } = statfsSync(disk.path);
    const script = 'for (1..$ARGV[1]) { open(my $f, ">", "$ARGV[0]/$_") or die "$_ $!\\n" }';
    const child = spawn("perl", ["-e", script, disk.path, `${files + 1}`], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const text = String((await once(child.stderr, "data"))[0]);
    expect(text).toContain("No space left on device");
    expect(Number.parseInt(text, 10)).toBeGreaterThan(32_000);
    await disk.release();
  });

  const cgroups = findCgroups({ instance: `test-${systemIds.hex(8)}`, clock: systemClock });
  afterAll(async () => cgroups?.close());

  it.skipIf(cgroups === undefined)("is filled by a function of 128 MB, which lives on", async () => {
    const disk = await disks.take("full", 512);
    const group = cgroups?.create("writer", { memoryMb: 128, pids: 64 });
    const script =
      'read start; head -c 536870912 /dev/zero > "$1/file" && echo more >> "$1/file" && dd if=/dev/zero of="$1/rest" bs=1M';
    const child = spawn("sh", ["-c", script, "sh", disk.path], { stdio: ["pipe", "ignore", "pipe"] });
    group?.add(child.pid ?? 0);
    child.stdin.end("\n");
    let text = "";
    for await (const chunk of child.stderr) text += String(chunk);
    expect(text).toContain("No space left on device");
    expect(statSync(join(disk.path, "file")).size).toBe(512 * MB + 5);
    expect(group?.stats().oomKilled).toBe(false);
    await group?.remove();
    await disk.release();
  });

  it("stays usable for the platform when the host's own disk is full", async () => {
    const host = await disks.take("host", 600);
    const inner = await findScratchDisks({ ...common, spares: NONE, folder: host.path });
    const disk = await inner.take("disk", 512);
    await runHere(["fallocate", "-l", "570M", join(host.path, "ballast")]);
    expect(await fill(join(host.path, "rest"))).toContain("No space left on device");
    await fill(join(disk.path, "file"));
    await inner.close();
    await host.release();
    expect(mounts(host.path)).toEqual([]);
  });
});

describe("scratch disks as folders", () => {
  it("tell of the first environment's excess, once, and look only at busy ones", async () => {
    const clock = new ManualClock();
    const disks = new WatchedDisks({ ...common, clock, folder: join(root, "looked-at") });
    const told: string[] = [];
    let tell = (): void => undefined;
    const disk = (id: string) =>
      disks.take(id, 512, () => {
        told.push(id);
        tell();
      });
    const [big, idle, small] = await Promise.all([disk("big"), disk("idle"), disk("small")]);
    for (const { path } of [big, idle]) await runHere(["fallocate", "-l", "513M", join(path, "file")]);
    writeFileSync(join(small.path, "file"), "x");
    idle.busy = false;
    const seen = new Promise<void>((resolve) => {
      tell = resolve;
    });
    clock.advance(500);
    await seen;
    expect(told).toEqual(["big"]);
    await disks.close();
  });

  it("removes what the function has locked", async () => {
    const disks = new WatchedDisks({ ...common, folder: join(root, "locked") });
    const disk = await disks.take("locked", 512);
    mkdirSync(join(disk.path, "a", "b"), { recursive: true });
    writeFileSync(join(disk.path, "a", "b", "file"), "x");
    chmodSync(join(disk.path, "a", "b"), 0);
    chmodSync(join(disk.path, "a"), 0);
    await disk.release();
    expect(existsSync(disk.path)).toBe(false);
    await disks.close();
  });

  it("count blocks and entries, links once, and never what links point to", async () => {
    const folder = join(root, "counted");
    mkdirSync(join(folder, "deep"), { recursive: true });
    writeFileSync(join(folder, "deep", "file"), Buffer.alloc(MB, 1));
    linkSync(join(folder, "deep", "file"), join(folder, "second"));
    symlinkSync("/usr", join(folder, "outside"));
    const bounds = { bytes: 2 * MB, entries: 10 };
    expect(await exceeds(folder, bounds)).toBe(false);
    expect(await exceeds(folder, { ...bounds, bytes: MB / 2 })).toBe(true);
    expect(await exceeds(folder, { ...bounds, entries: 2 })).toBe(true);
    expect(await exceeds(join(folder, "gone"), bounds)).toBe(false);
  });
});
