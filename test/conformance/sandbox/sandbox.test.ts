import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { bubblewrapHost, ociHost, ociUsable, processHost, run, runs, startGuest, tree } from "./support.ts";
import type { Host, OpenHost } from "./support.ts";

const use = await bubblewrapUsable();

interface Backend {
  readonly name: string;
  readonly open: OpenHost;
  readonly usable: boolean;
}

/** Those that make namespaces. */
const WALLED: readonly Backend[] = [
  { name: "bubblewrap", open: bubblewrapHost, usable: use.usable },
  { name: "oci, with crun", open: ociHost("crun"), usable: await ociUsable("crun") },
  { name: "oci, with runc", open: ociHost("runc"), usable: await ociUsable("runc") },
];

const BACKENDS: readonly Backend[] = [
  { name: "process", open: processHost, usable: process.platform !== "win32" },
  ...WALLED,
];

/** Tells these guests from others by their command line. */
const SECONDS = `8765.${process.pid}`;

const WAIT = { timeout: 20_000, interval: 20 };

for (const { name, open, usable } of BACKENDS)
  describe.skipIf(!usable)(`the sandbox of ${name}`, () => {
    let host: Host;
    beforeAll(async () => {
      host = await open();
    });
    afterAll(async () => {
      await host.close();
      expect(host.problems).toEqual([]);
    });

    it("carries bytes to the guest and back", async () => {
      const guest = startGuest(host, "echo ready >&4; cat <&3 >&4");
      guest.sandbox.send(Buffer.from("first,"));
      await guest.said("ready");
      await guest.sandbox.specialise({
        code: tree(join(host.folder, "echo"), { "a.txt": "a" }),
        layers: undefined,
      });
      guest.sandbox.send(Buffer.from("second"));
      await guest.said("first,second");
      await guest.sandbox.kill();
    });

    it("freezes what is idle, and lets it go on at once", async () => {
      const guest = startGuest(host, "n=0; while :; do n=$((n+1)); echo $n >&4; sleep 0.005; done");
      await guest.said("5\n");
      guest.sandbox.busy = false;
      let last = guest.frames();
      // Stopped once nothing has come for ten times as long as the guest waits between two lines.
      await vi.waitFor(
        () => {
          const now = guest.frames();
          const same = now === last;
          last = now;
          expect(same).toBe(true);
        },
        { timeout: 10_000, interval: 100 },
      );
      const frozen = guest.frames();
      guest.sandbox.busy = true;
      await vi.waitFor(() => expect(guest.frames().length).toBeGreaterThan(frozen.length), WAIT);
      guest.sandbox.busy = false;
      // Frozen or about to be: it dies all the same.
      await guest.sandbox.kill();
      expect(await guest.exit).toMatchObject({ cause: "killed" });
    });

    it("passes on all that was written before it tells the end", async () => {
      const guest = startGuest(host, "head -c 300000 /dev/zero | tr '\\0' x; echo oops >&2; exit 7");
      expect(await guest.exit).toMatchObject({
        status: 7,
        signal: undefined,
        cause: undefined,
        error: undefined,
      });
      expect(guest.output()).toHaveLength(300_005);
      expect(guest.output()).toContain("oops");
      await guest.sandbox.kill();
    });

    it("tells the signal that ended the guest", async () => {
      const guest = startGuest(host, "kill -SEGV $$");
      expect(await guest.exit).toMatchObject({ status: undefined, signal: "SIGSEGV" });
      await guest.sandbox.kill();
    });

    it("tells a command that is not there as an error or a status, never as a run", async () => {
      const guest = startGuest(host, "", { command: "/no/such/program" });
      const exit = await guest.exit;
      expect(exit.error !== undefined || exit.status === 127).toBe(true);
      await guest.sandbox.kill();
    });

    it("ends the whole tree when it is killed", async () => {
      const mark = `9${process.pid}77`;
      const guest = startGuest(host, `setsid sleep ${mark} & sleep ${mark} & echo ready >&4; wait`);
      await guest.said("ready");
      await vi.waitFor(async () => expect(await runs(`sleep\0${mark}`)).toBe(true), WAIT);
      await guest.sandbox.kill();
      expect(await guest.exit).toMatchObject({ cause: "killed" });
      expect(await runs(`sleep\0${mark}`)).toBe(false);
    });

    it("sees the code that it was specialised with, and a /tmp of its own", async () => {
      const code = tree(join(host.folder, "code"), { "index.js": "exports", "lib/deep.js": "deep" });
      const layers = tree(join(host.folder, "layers"), { "bin/tool": "tool" });
      const id = `special-${process.pid}`;
      const { task, opt, tmp } = host.backend.paths(id, { code, layers });
      const script = `echo ready >&4; read go <&3; cat ${task}/index.js ${task}/lib/deep.js ${opt}/bin/tool; ls -A ${tmp}; touch ${tmp}/mine`;
      const guest = startGuest(host, script, { id });
      await guest.said("ready");
      await guest.sandbox.specialise({ code, layers });
      guest.sandbox.send(Buffer.from("go\n"));
      expect(await guest.exit).toMatchObject({ status: 0 });
      expect(guest.output()).toBe("exportsdeeptool");
      await guest.sandbox.kill();
    });

    it("has no variable of the host's environment", async () => {
      process.env["THAW_TEST_SECRET"] = "secret";
      const names = (await run(host, "env", { environment: { PATH: "/usr/bin:/bin", MINE: "1" } }))
        .split("\n")
        .map((line) => line.split("=")[0]);
      delete process.env["THAW_TEST_SECRET"];
      expect(names).toContain("MINE");
      // What shells and back ends set by themselves.
      const own = new Set(["", "_", "PWD", "OLDPWD", "SHLVL", "TMPDIR", "PATH", "MINE"]);
      expect(names.filter((each) => !own.has(each ?? ""))).toEqual([]);
    });

    it("keeps the spawner's table of mounts as short with guests as without", async (context) => {
      const { bubblewrap } = host;
      if (bubblewrap === undefined) {
        context.skip();
        return;
      }
      const mounts = (): readonly string[] =>
        readFileSync(`/proc/${bubblewrap.spawnerPid}/mounts`, "utf8").split("\n");
      const files = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`file${n}`, "x"]));
      const code = tree(join(host.folder, `large-${process.pid}`), files);
      const disks = (): ReadonlySet<string> =>
        new Set(mounts().flatMap((line) => /\S+\/disks\/mounts\/\S+/.exec(line)?.[0] ?? []));
      const spare = [...disks()];
      const guests = Array.from({ length: 3 }, (_, n) =>
        startGuest(host, "echo ready >&4; read go <&3; ls /var/task | wc -l; ls -A /tmp", {
          id: `short-${n}-${process.pid}`,
        }),
      );
      await Promise.all(guests.map((guest) => guest.said("ready")));
      await Promise.all(guests.map(({ sandbox }) => sandbox.specialise({ code, layers: undefined })));
      // Each has its disk to itself by now: of the spare ones that there were, three are not to be seen here any more.
      const left = (): number => spare.filter((point) => disks().has(point)).length;
      await vi.waitFor(() => expect(left()).toBeLessThanOrEqual(Math.max(0, spare.length - 3)), WAIT);
      for (const { sandbox } of guests) sandbox.send(Buffer.from("go\n"));
      for (const guest of guests) expect(await guest.exit).toMatchObject({ status: 0 });
      expect(guests.map((guest) => guest.output().trim())).toEqual(["100", "100", "100"]);
      await Promise.all(guests.map(({ sandbox }) => sandbox.kill()));
      const staged = mounts().length;
      host.backend.forget?.(code);
      await vi.waitFor(() => expect(mounts()).toHaveLength(staged - 1), WAIT);
    });

    it("leaves nothing behind after many starts and kills", async () => {
      const descriptors = (): number => readdirSync("/proc/self/fd").length;
      await run(host, "true");
      const before = descriptors();
      for (let round = 0; round < 6; round++) {
        const guests = Array.from({ length: 5 }, () =>
          startGuest(host, "sleep 4321.5 & echo ready >&4; wait"),
        );
        // Some are killed while they start.
        await Promise.all(guests.slice(0, 3).map((guest) => guest.said("ready")));
        await Promise.all(guests.map((guest) => guest.sandbox.kill()));
      }
      expect(await runs("4321.5")).toBe(false);
      await vi.waitFor(() => expect(descriptors()).toBeLessThanOrEqual(before + 2), WAIT);
      const environments = host.bubblewrap === undefined ? "environments" : "sandboxes/environments";
      expect(readdirSync(join(host.folder, environments))).toEqual([]);
    });
  });

/** The host users of processes whose command line begins so. */
function usersOf(command: string): Set<string> {
  const users = new Set<string>();
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    try {
      if (!readFileSync(`/proc/${name}/cmdline`, "latin1").startsWith(command)) continue;
      users.add(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "latin1"))?.[1] ?? "");
    } catch {
      // Gone meanwhile.
    }
  }
  return users;
}

describe.each(WALLED.filter(({ usable }) => usable))("the walls of $name", ({ open }) => {
  let host: Host;
  beforeAll(async () => {
    host = await open();
  });
  afterAll(() => host.close());

  const enforced = (limit: string): boolean =>
    host.backend.enforcement().some((each) => each.limit === limit && each.level === "enforced");

  it("is what AWS's environments are: user, host name, limits, no privilege", async () => {
    const text = await run(
      host,
      "id -u; id -g; id -un; hostname; ulimit -n; ulimit -c; cat /proc/self/limits /proc/self/status",
    );
    const [uid, gid, user, hostname, files, core] = text.split("\n");
    expect([uid, gid, user, files, core]).toEqual(["993", "990", "sbx_user1051", "1024", "0"]);
    expect(hostname).toMatch(/^169\.254\.\d+\.\d+$/);
    expect(text).toMatch(/Max processes +1024 +1024/);
    expect(text).toMatch(/NoNewPrivs:\s1/);
    expect(text).toMatch(/Seccomp:\s2/);
    expect(text).toMatch(/CapEff:\s0{16}/);
  });

  it("runs as a host user that no other environment has, never as root's", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("needs root");
    const guests = [1, 2].map(() => startGuest(host, `echo ready >&4; exec sleep ${SECONDS}`));
    await Promise.all(guests.map((guest) => guest.said("ready")));
    // `ready` is told a moment before the shell becomes the program that is looked for.
    const users = await vi.waitFor(() => {
      const found = usersOf(`sleep\0${SECONDS}`);
      expect(found.size).toBe(2);
      return found;
    }, WAIT);
    await Promise.all(guests.map((guest) => guest.sandbox.kill()));
    expect([...users].every((user) => Number(user) > 60_000)).toBe(true);
  });

  it("shows no file of the host's, and lets none but /tmp be written", async () => {
    const text = await run(
      host,
      `ls -A /; ls -A /usr/local; cat /etc/shadow ${host.folder}/secret; for d in / /usr /etc /var /var/task /opt /dev /dev/shm /proc/sys; do touch $d/x 2>/dev/null && echo "wrote $d"; done; touch /tmp/x && echo "tmp written"`,
    );
    expect(text).not.toMatch(/wrote/);
    expect(text).toContain("tmp written");
    expect(text).not.toMatch(/^(root|home|boot|srv|mnt|media|sys|run)$/m);
    expect(text.match(/No such file/g)).toHaveLength(2);
  });

  it("refuses what the seccomp filter names", async () => {
    const text = await run(
      host,
      "unshare --user true; unshare --mount true; unshare --net true; mount -t tmpfs x /tmp; echo end",
    );
    expect(text.match(/unshare failed: Operation not permitted|must be superuser/g)).toHaveLength(4);
    expect(text).toContain("end");
  });

  it("mounts trees that are too large to be linked, read-only", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`f${index}.txt`, String(index)]),
    );
    const code = tree(join(host.folder, "large"), files);
    const guest = startGuest(
      host,
      "echo ready >&4; read go <&3; ls /var/task | wc -l; cat /var/task/f99.txt; touch /var/task/x; rm -f /var/task/f1.txt; true",
    );
    await guest.said("ready");
    await guest.sandbox.specialise({ code, layers: undefined });
    guest.sandbox.send(Buffer.from("go\n"));
    await guest.exit;
    await guest.sandbox.kill();
    expect(guest.output()).toMatch(/^100\n99/);
    expect(guest.output().match(/Read-only file system/g)).toHaveLength(2);
    expect(readdirSync(code)).toHaveLength(100);
  });

  it("ends a guest that takes more memory than it has, and says so", async ({ skip }) => {
    if (!enforced("memory")) skip("this host gives no memory control group");
    const guest = startGuest(host, "exec head -c 400m /dev/zero | tail", { memoryMb: 128 });
    expect(await guest.exit).toMatchObject({ cause: "memory" });
    await guest.sandbox.kill();
  });

  it("outlives the death of its spawner; the guests do not", async () => {
    const guest = startGuest(host, "echo ready >&4; exec sleep 7654.3");
    await guest.said("ready");
    const first = host.bubblewrap?.spawnerPid;
    if (first === undefined) throw new Error("there is no spawner");
    process.kill(first, "SIGKILL");
    expect(await guest.exit).toMatchObject({ signal: "SIGKILL" });
    await guest.sandbox.kill();
    await vi.waitFor(async () => expect(await runs("7654.3")).toBe(false), WAIT);
    expect(await run(host, "echo again; touch /tmp/x && echo fine")).toBe("again\nfine\n");
    expect(host.bubblewrap?.spawnerPid).not.toBe(first);
  });
});
