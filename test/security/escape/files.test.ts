// What a function cannot read or change: other functions, the host, and the code that environments share.
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { behindWalls, needsPython } from "./walls.ts";
import { NODE_RUNTIME, readable } from "./world.ts";

/** Everywhere that it can get to: names of files, and the text of small ones. */
const SEARCH = `
import stat
found = []
for top, folders, files in os.walk("/", followlinks=False):
    if top == "/proc": folders[:] = [f for f in folders if f.isdigit() or f == "self"]
    folders[:] = [f for f in folders if f not in ("task", "map_files", "net")]
    for name in files + folders:
        path = os.path.join(top, name)
        if event["mark"] in path: found.append(path)
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode): continue
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                if top.startswith("/usr") or os.fstat(fd).st_size > 65536: continue
                if event["mark"].encode() in os.read(fd, 65536): found.append(path)
            finally: os.close(fd)
        except OSError: pass
result = found
`;

behindWalls((world, kind) => {
  it("reads no other function's /tmp, code, variables or memory", async (context) => {
    needsPython(world(), context);
    const mark = `mark${process.pid}x${kind.title.length}`;
    const source = `exports.handler = async () => { require("node:fs").writeFileSync("/tmp/${mark}", "${mark}"); globalThis.kept = "${mark}"; return process.env.SECRET; };`;
    await world().create(
      "victim",
      { "index.js": source, [`${mark}.txt`]: mark },
      {
        Runtime: NODE_RUNTIME,
        Handler: "index.handler",
        Environment: { Variables: { SECRET: mark } },
      },
    );
    // Its environment stays, with all of it in place.
    expect((await world().invoke("victim")).payload).toBe(mark);
    await world().pythonFunction("searcher");
    // It does find what is its own.
    const own = `own${mark}`;
    const kept = `open("/tmp/${own}", "w").write("${own}")\n${SEARCH}`;
    expect(await world().run("searcher", kept, { mark: own })).toEqual([`/tmp/${own}`, `/tmp/${own}`]);
    expect(await world().run("searcher", `os.unlink("/tmp/${own}")\n${SEARCH}`, { mark })).toEqual([]);
    const processes = await world().run(
      "searcher",
      `
result = sorted(open(f"/proc/{p}/cmdline").read() for p in os.listdir("/proc") if p.isdigit())`,
    );
    // Bubblewrap's own first process, and itself.
    expect((processes as string[]).filter((line) => !/python|bwrap/.test(line))).toEqual([]);
    expect((await world().invoke("victim")).payload).toBe(mark);
  });

  it("reads neither the data folder nor any other file of the host", async (context) => {
    needsPython(world(), context);
    const secret = join(world().folder, "secret");
    writeFileSync(secret, "of the host", { mode: 0o644 });
    await world().pythonFunction("reader");
    const paths = [
      secret,
      world().folder,
      join(world().folder, "data"),
      "/etc/shadow",
      "/etc/ssh",
      "/root",
      "/home",
      homedir(),
      "/var/lib",
      "/var/log",
      "/run",
      "/sys",
      "/boot",
      "/proc/sys/kernel/core_pattern",
      "/proc/kcore",
      "/proc/sysrq-trigger",
      "/proc/1/root/root",
      "/dev/kmsg",
      "/dev/mem",
      "/dev/kvm",
      "/dev/fuse",
      "/dev/loop-control",
      "/dev/net/tun",
      "/dev/sda",
      "/dev/vda",
    ];
    const open = await world().run(
      "reader",
      `
result = []
for path in event["paths"]:
    for flags in (os.O_RDONLY, os.O_WRONLY):
        try:
            if os.path.isdir(path): os.listdir(path)
            else: os.close(os.open(path, flags | os.O_NONBLOCK))
            result.append([path, flags])
        except OSError: pass`,
      { paths },
    );
    // Without a device in it, a core pattern is a setting that may be seen.
    expect(open).toEqual(expect.not.arrayContaining([["/etc/shadow", 0]]));
    expect(
      (open as [string, number][]).filter(([path, flags]) => !(path.startsWith("/proc/sys/") && flags === 0)),
    ).toEqual([]);
    expect(readable(secret)).toBe(true);
    const environments = await world().run(
      "reader",
      `
result = []
for p in os.listdir("/proc"):
    if not p.isdigit(): continue
    try: result.append(open(f"/proc/{p}/environ").read())
    except OSError: pass`,
    );
    expect(JSON.stringify(environments)).not.toContain("of the host");
    expect(
      await world().run("reader", `result = {k: v for k, v in os.environ.items() if "host" in v}`),
    ).toEqual({});
  });

  it("cannot poison the code that environments share", async (context) => {
    needsPython(world(), context);
    await world().pythonFunction("poisoner");
    await world().pythonFunction("twin");
    const changed = await world().run(
      "poisoner",
      `
import shutil
result = []
def attempt(name, act):
    try:
        act()
        result.append(name)
    except OSError: pass
code = "/var/task/app.py"
def write(path, flags):
    fd = os.open(path, flags)
    os.write(fd, b"poison")
    os.close(fd)
attempt("write", lambda: write(code, os.O_WRONLY))
attempt("truncate", lambda: os.truncate(code, 0))
attempt("append", lambda: write(code, os.O_WRONLY | os.O_APPEND))
attempt("add", lambda: write("/var/task/new.py", os.O_WRONLY | os.O_CREAT))
attempt("remove", lambda: os.unlink(code))
attempt("rename", lambda: os.rename(code, "/tmp/app.py"))
attempt("chmod", lambda: os.chmod(code, 0o777))
attempt("chown", lambda: os.chown(code, os.getuid(), os.getgid()))
attempt("utime", lambda: os.utime(code, (0, 0)))
attempt("setxattr", lambda: os.setxattr(code, "user.x", b"1"))
attempt("link out", lambda: os.link(code, "/tmp/app.py"))
attempt("link in", lambda: os.link("/tmp", "/var/task/tmp"))
attempt("layer", lambda: write("/opt/new", os.O_WRONLY | os.O_CREAT))
attempt("runtime", lambda: write("/var/runtime/new", os.O_WRONLY | os.O_CREAT))
attempt("usr", lambda: write("/usr/new", os.O_WRONLY | os.O_CREAT))
attempt("root", lambda: write("/new", os.O_WRONLY | os.O_CREAT))
attempt("shm", lambda: write("/dev/shm/new", os.O_WRONLY | os.O_CREAT))
fd = os.open(code, os.O_RDONLY)
attempt("reopen", lambda: write(f"/proc/self/fd/{fd}", os.O_WRONLY))
attempt("fchmod", lambda: os.fchmod(fd, 0o777))
attempt("ftruncate", lambda: os.ftruncate(fd, 0))
attempt("parent's root", lambda: write("/proc/1/root" + code, os.O_WRONLY))
attempt("by its folder", lambda: write(f"/proc/self/cwd/../../var/task/app.py", os.O_WRONLY))`,
    );
    expect(changed).toEqual([]);
    const read = `result = [sorted(os.listdir("/var/task")), open("/var/task/app.py").read()]`;
    const code = await world().run("poisoner", read);
    expect(await world().run("twin", read)).toEqual(code);
    expect(code).toEqual([["app.py"], expect.stringContaining("def handler")]);
  });
});
