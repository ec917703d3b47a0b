import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, existsSync, realpathSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cpio, folder, program } from "./cpio.ts";
import { cacheFolder, debianKernel, moduleFiles } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";

const repository = resolve(import.meta.dirname, "../..");
const MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "virtio-rng", "virtiofs", "overlay", "loop"];
const MEMORY_MB = 1536;
const DISK_MB = 16 * 1024;
/** A kernel that has not got as far as its first process by then hangs. Without emulation it takes less than a second. */
const BOOT_MS = 20_000;

export interface VmOptions {
  /** A JavaScript file of the repository, relative to its root; run by this Node.js with the repository as working directory. */
  readonly script: string;
  readonly args?: readonly string[];
  /** Run by this user id, in a control group that is delegated to it, as systemd does; root at the hierarchy's top by default. */
  readonly user?: number;
  /** For the whole of it, boot included. */
  readonly timeoutMs: number;
}

export interface VmResult {
  readonly status: number;
  /** What the script wrote to its standard output and error. */
  readonly output: string;
  /** Hardware virtualisation or emulation, which is some ten times as slow. */
  readonly accelerator: Accelerator;
}

type Accelerator = "kvm" | "tcg";

/** Why no machine can be run here, or undefined where one can. */
export async function vmMissing(): Promise<string | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return "Debian's kernel for amd64 only";
  // The file server acts as root within the host's files.
  if (process.getuid?.() !== 0) return "root is needed to share the file system";
  const tools = ["/usr/bin/qemu-system-x86_64", "/usr/bin/busybox", "/usr/bin/apt-get"];
  for (const tool of tools) if (!existsSync(tool)) return `${tool} is not installed`;
  if (virtiofsd() === undefined) return "virtiofsd is not installed";
  return debianKernel().then(
    () => undefined,
    (error: unknown) => `no kernel: ${String(error)}`,
  );
}

/**
 * Boots Debian's cloud kernel with version 2 control groups over a writable copy-on-write view of this host's files, runs a
 * script there, with THAW_IN_VM set, and gives its status and output. Nothing of the host is changed.
 * @throws Error with the end of the kernel's console where the machine does not come to an end in time
 */
export async function runInVm(options: VmOptions): Promise<VmResult> {
  const kernel = await debianKernel();
  const deadline = performance.now() + options.timeoutMs;
  for (const accelerator of await accelerators(kernel)) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await attempt(kernel, accelerator, options, deadline);
    if (result !== undefined) return result;
    // Machines that are virtual themselves may offer a KVM under which nothing boots: remembered, so as to wait for it once.
    // oxlint-disable-next-line no-await-in-loop
    await writeFile(unusableKvm(kernel), "");
  }
  throw new Error("the machine does not boot, not even emulated");
}

async function accelerators(kernel: Kernel): Promise<readonly Accelerator[]> {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    if (!existsSync(unusableKvm(kernel))) return ["kvm", "tcg"];
  } catch {
    // No KVM.
  }
  return ["tcg"];
}

function unusableKvm({ release }: Kernel): string {
  return join(cacheFolder, `no-kvm-${release}`);
}

async function attempt(
  kernel: Kernel,
  accelerator: Accelerator,
  options: VmOptions,
  deadline: number,
): Promise<VmResult | undefined> {
  const place = await mkdtemp(join(tmpdir(), "thaw-vm-"));
  const children: ChildProcess[] = [];
  const read = async (name: string): Promise<string> => readFile(join(place, name), "utf8").catch(() => "");
  try {
    await writeFile(join(place, "initramfs"), await initramfs(kernel, options));
    await makeDisk(join(place, "disk"));
    children.push(await shareFiles(join(place, "socket")));
    const complaints = await open(join(place, "qemu"), "w");
    const machine = spawn(
      "qemu-system-x86_64",
      [...hardware(place, accelerator), ...software(place, kernel)],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    children.push(machine);
    await complaints.close();
    const bootedBy = accelerator === "kvm" ? performance.now() + BOOT_MS : deadline;
    while (machine.exitCode === null && machine.signalCode === null) {
      // oxlint-disable-next-line no-await-in-loop
      const ready = (await read("status")) !== "";
      if (!ready && performance.now() > bootedBy) break;
      if (performance.now() > deadline) break;
      // oxlint-disable-next-line no-await-in-loop
      await delay(20);
    }
    const said = await read("status");
    const status = /^status (\d+)$/mu.exec(said)?.[1];
    if (status !== undefined) return { status: Number(status), output: await read("output"), accelerator };
    if (said === "" && accelerator === "kvm") return undefined;
    throw new Error(
      `the machine did not come to an end:\n${await read("output")}\n${await read("qemu")}\n${(await read("console")).slice(-2000)}`,
    );
  } finally {
    await Promise.all(children.map(end));
    await rm(place, { recursive: true, force: true });
  }
}

function hardware(place: string, accelerator: Accelerator): readonly string[] {
  const memory = `${MEMORY_MB}M`;
  const path = (name: string): string => join(place, name);
  return [
    ["-M", "q35", "-m", memory, "-smp", "2"],
    // Hosts that are virtual themselves refuse this register.
    accelerator === "kvm"
      ? ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"]
      : ["-accel", "tcg,thread=multi", "-cpu", "max"],
    ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-device", "virtio-rng-pci"],
    // The file server reads and writes the machine's memory.
    ["-object", `memory-backend-memfd,id=memory,size=${memory},share=on`, "-numa", "node,memdev=memory"],
    ["-chardev", `socket,id=host,path=${path("socket")}`],
    ["-device", "vhost-user-fs-pci,chardev=host,tag=host"],
    ["-drive", `file=${path("disk")},format=raw,if=virtio,cache=unsafe`],
    ["-device", "virtio-serial-pci"],
    ["-chardev", `file,id=output,path=${path("output")}`, "-device", "virtserialport,chardev=output,nr=1"],
    ["-chardev", `file,id=status,path=${path("status")}`, "-device", "virtserialport,chardev=status,nr=2"],
    ["-chardev", `file,id=console,path=${path("console")}`, "-serial", "chardev:console"],
  ].flat();
}

function software(place: string, kernel: Kernel): readonly string[] {
  const append = "console=ttyS0 quiet panic=-1";
  return ["-kernel", kernel.image, "-initrd", join(place, "initramfs"), "-append", append];
}

async function initramfs(kernel: Kernel, options: VmOptions): Promise<Buffer> {
  const modules = await moduleFiles(kernel, MODULES);
  const busybox = realpathSync("/usr/bin/busybox");
  const text = (path: string, content: string) => program(path, Buffer.from(content));
  return cpio([
    ...["bin", "modules", "dev", "proc", "sys", "host", "scratch", "root"].map(folder),
    program("bin/busybox", await readFile(busybox)),
    program("init", await readFile(join(import.meta.dirname, "init.sh"))),
    text("bin/sh", "#!/bin/busybox sh\n"),
    text("busybox", busybox),
    text("module-tree", kernel.modules),
    text("repository", repository),
    text("modules/order", modules.map((file) => `${basename(file)}\n`).join("")),
    text("command", command(options)),
    ...(await Promise.all(
      modules.map(async (file) => program(`modules/${basename(file)}`, await readFile(file))),
    )),
  ]);
}

/** What the machine is for, as a script for its shell. */
function command({ script, args = [], user }: VmOptions): string {
  const argv = [process.execPath, script, ...args].map(quoted).join(" ");
  const lines = [
    "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp/home CI=1 NO_COLOR=1 THAW_IN_VM=1",
    "mkdir -p $HOME",
    `cd ${quoted(repository)}`,
  ];
  if (user === undefined) return [...lines, `exec ${argv}`].join("\n");
  return [
    ...lines,
    // As systemd delegates (systemd.io/CGROUP_DELEGATION): the folder and three of its files; limits on it stay root's.
    "cd /sys/fs/cgroup",
    'echo "+memory +cpu +pids" >cgroup.subtree_control',
    'mkdir -p user/session && echo "+memory +cpu +pids" >user/cgroup.subtree_control',
    `chown ${user} $HOME user/session user/session/cgroup.procs user/session/cgroup.subtree_control user/session/cgroup.threads`,
    "echo $$ >user/session/cgroup.procs",
    `cd ${quoted(repository)}`,
    // Where vitest keeps what it compiles and learns.
    "mkdir -p node_modules/.vite-temp node_modules/.vite",
    `chown -R ${user} node_modules/.vite-temp node_modules/.vite`,
    `exec setpriv --reuid ${user} --regid ${user} --clear-groups ${argv}`,
  ].join("\n");
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

async function makeDisk(path: string): Promise<void> {
  const file = await open(path, "w");
  // Sparse: it takes what is written.
  await file.truncate(DISK_MB * 1024 * 1024);
  await file.close();
  execFileSync("/sbin/mke2fs", ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-E", "nodiscard", path]);
}

function virtiofsd(): string | undefined {
  return ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((path) => existsSync(path));
}

async function shareFiles(socket: string): Promise<ChildProcess> {
  const args = [`--socket-path=${socket}`, "-o", "source=/,cache=always,sandbox=chroot", "-f"];
  const server = spawn(virtiofsd() ?? "", args, { stdio: "ignore" });
  while (!existsSync(socket)) {
    if (server.exitCode !== null) throw new Error("the file server ended at once");
    // oxlint-disable-next-line no-await-in-loop
    await delay(5);
  }
  return server;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
