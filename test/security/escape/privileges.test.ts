// What the kernel refuses a function, whatever it asks for.
import { expect, it } from "vitest";
import { SYSCALLS, type Architecture } from "#engine/sandbox/bubblewrap/syscalls";
import { behindWalls, needs, needsPython } from "./walls.ts";

const CTYPES = `
import ctypes, signal
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *arguments):
    ctypes.set_errno(0)
    value = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return [value, ctypes.get_errno()]
`;

/** Each in a child of its own, so that one that does what it says harms only that: its result and errno, or the signal that ended it. */
const IN_CHILD = `${CTYPES}
import json
def tried(act):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try: os.write(writer, json.dumps(act()).encode())
        finally: os._exit(0)
    os.close(writer)
    told = os.read(reader, 4096)
    os.close(reader)
    status = os.waitpid(pid, 0)[1]
    return json.loads(told) if told else "signal %d" % os.WTERMSIG(status) if os.WIFSIGNALED(status) else "nothing"
`;

const EPERM = 1;
const ENOSYS = 38;

/** The call's arguments where zeros would be refused for themselves; numbers, as C takes them. */
const NEWUSER = 0x10000000;
const NEWNS = 0x20000;
const SIGCHLD = 17;
const CALLS: readonly (readonly [name: string, ...args: number[]])[] = [
  ["mount"],
  ["umount2"],
  ["pivot_root"],
  ["chroot"],
  ["move_mount"],
  ["open_tree", -100],
  ["fsopen"],
  ["fsmount"],
  ["fsconfig"],
  ["fspick"],
  ["mount_setattr"],
  ["unshare", NEWUSER],
  ["unshare", NEWNS],
  ["unshare", 0x40000000],
  ["unshare", 0x80],
  ["setns", 3, 0],
  ["clone", NEWUSER | SIGCHLD],
  ["clone", NEWNS | SIGCHLD],
  ["clone", 0x40000000 | SIGCHLD],
  ["clone", 0x20000000 | SIGCHLD],
  ["clone3"],
  ["ptrace", 0],
  ["process_vm_readv", 1],
  ["process_vm_writev", 1],
  ["kcmp", 1, 1],
  ["keyctl", 0, -1],
  ["add_key"],
  ["request_key"],
  ["bpf"],
  ["perf_event_open"],
  ["userfaultfd"],
  ["io_uring_setup", 1],
  ["io_uring_enter"],
  ["io_uring_register"],
  ["open_by_handle_at"],
  ["name_to_handle_at", -100],
  ["init_module"],
  ["finit_module"],
  ["delete_module"],
  ["kexec_load"],
  ["kexec_file_load"],
  ["reboot"],
  ["swapon"],
  ["swapoff"],
  ["acct"],
  ["quotactl"],
  ["quotactl_fd"],
  ["syslog", 3],
  ["settimeofday"],
  ["clock_settime"],
  ["clock_adjtime", 0, 0],
  ["sethostname"],
  ["setdomainname"],
  ["iopl", 3],
  ["ioperm", 0, 1, 1],
  ["fanotify_init"],
  ["personality", 0x0400000],
  ["mbind"],
  ["set_mempolicy"],
  ["move_pages"],
  ["lookup_dcookie"],
  ["vhangup"],
  ["ioctl", 0, 0x5412],
  ["ioctl", 0, 0x541c],
];

behindWalls((world, kind) => {
  it.for(CALLS)("is refused %s", async ([name, ...args], context) => {
    needsPython(world(), context);
    needs("system calls", world(), context);
    const number = SYSCALLS[process.arch as Architecture][name];
    if (number === undefined) context.skip(`${process.arch} has no ${name}`);
    await prepared();
    const answer = await world().run("caller", `${IN_CHILD}\nresult = tried(lambda: call(*event["call"]))`, {
      call: [number, ...args],
    });
    expect([
      [-1, EPERM],
      [-1, ENOSYS],
    ]).toContainEqual(answer);
  });

  it("has no second table of system calls", async (context) => {
    needsPython(world(), context);
    needs("system calls", world(), context);
    if (process.arch !== "x64") context.skip("x64 alone has more than one");
    await prepared();
    // unshare(CLONE_NEWUSER) by x32's number, and getpid by the 32-bit gate, which the filter cannot tell apart otherwise.
    const x32 = `result = tried(lambda: call(0x40000000 | 272, ${NEWUSER}))`;
    // OCI runtimes kill for a table that their filter does not know.
    expect([[-1, ENOSYS], "signal 31"]).toContainEqual(await world().run("caller", `${IN_CHILD}\n${x32}`));
    const gate = `
import mmap
def gate():
    code = bytes.fromhex("b814000000cd80c3")  # mov eax, 20; int 0x80; ret
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
result = tried(gate)`;
    // SIGSYS from the filter; SIGSEGV from a kernel without that gate.
    expect(["signal 31", "signal 11"]).toContain(await world().run("caller", IN_CHILD + gate));
  });

  it("raises no privilege: identities, capabilities, setuid programs", async (context) => {
    needsPython(world(), context);
    await prepared();
    const told = await world().run(
      "caller",
      `
import re, subprocess
own = os.getuid()
# Somebody else: for the guest that is user 0, changing to user 0 changes nothing.
other = 0 if own else 1
result = {"done": [], "own": own}
def put(path, text):
    fd = os.open(path, os.O_WRONLY)
    try: os.write(fd, text)
    finally: os.close(fd)
for name, act in {
    "setuid": lambda: os.setuid(other),
    "setgid": lambda: os.setgid(other),
    "setgroups": lambda: os.setgroups([other]),
    "seteuid": lambda: os.seteuid(other),
    "setresuid": lambda: os.setresuid(other, other, other),
    "nice": lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
    "mknod": lambda: os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0)),
    "uid_map": lambda: put("/proc/self/uid_map", b"0 0 1\\n"),
    "setgroups file": lambda: put("/proc/self/setgroups", b"allow"),
    "oom": lambda: put("/proc/self/oom_score_adj", b"-1000"),
    "raw socket": lambda: __import__("socket").socket(2, 3, 255),
    "packet socket": lambda: __import__("socket").socket(17, 3, 3),
    "socket of the hypervisor": lambda: __import__("socket").socket(40, 1, 0),
    "socket of the kernel's ciphers": lambda: __import__("socket").socket(38, 5, 0),
    "core pattern": lambda: put("/proc/sys/kernel/core_pattern", b"|/tmp/x"),
    "user namespaces": lambda: put("/proc/sys/user/max_user_namespaces", b"1"),
    "limits": lambda: __import__("resource").setrlimit(7, (4096, 4096)),
}.items():
    try:
        act()
        result["done"].append(name)
    except (OSError, ValueError): pass
status = open("/proc/self/status").read()
result["caps"] = sorted(set(re.findall(r"^Cap\\w+:\\s*(\\w+)$", status, re.M)))
result["nnp"] = re.search(r"NoNewPrivs:\\s*(\\d)", status)[1]
result["groups"] = os.getgroups()
# With setuid bits of its own making, too.
import shutil
shutil.copy("/usr/bin/id", "/tmp/id")
try: os.chmod("/tmp/id", 0o4755)
except OSError: pass
result["ids"] = sorted({subprocess.run([p, "-u"], capture_output=True, text=True).stdout.strip() for p in ("/usr/bin/id", "/tmp/id")})
os.unlink("/tmp/id")
result["su"] = subprocess.run(["/bin/su", "-c", "id -u"], capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout.strip() if os.path.exists("/bin/su") else ""
`,
    );
    // An ordinary user may map itself alone, and OCI runtimes want a root.
    const own = kind.sandbox === "oci" && process.getuid?.() !== 0 ? 0 : 993;
    expect(told).toMatchObject({
      done: [],
      caps: ["0000000000000000"],
      nnp: "1",
      own,
      ids: [String(own)],
      su: "",
    });
  });

  it("signals, traces and finds no process outside", async (context) => {
    needsPython(world(), context);
    await prepared();
    await world().pythonFunction("signaller");
    const hosts = [process.pid, world().platform.pid, 2];
    const { result, served } = await world().alongside(() =>
      world().run(
        "signaller",
        `
import signal
inside = {int(p) for p in os.listdir("/proc") if p.isdigit()}
reached = []
for pid in list(range(2, 70000)) + event["hosts"]:
    if pid in inside: continue
    try:
        os.kill(pid, 0)
        reached.append(pid)
    except OSError: pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for target in (-1, 0):
    try: os.kill(target, signal.SIGTERM)
    except OSError: pass
for pid in event["hosts"]:
    try: os.killpg(pid, signal.SIGKILL)
    except OSError: pass
result = [p for p in reached if p in event["hosts"] or os.path.exists(f"/proc/{p}")]
`,
        { hosts },
      ),
    );
    expect(result).toEqual([]);
    expect(served).toBeGreaterThan(0);
  });

  let made: Promise<void> | undefined;
  function prepared(): Promise<void> {
    made ??= world().pythonFunction("caller");
    return made;
  }
});
