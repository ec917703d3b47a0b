import { execFileSync } from "node:child_process";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { cpio, folder, program } from "./cpio.ts";
import { moduleFiles } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import { repository, writeProgram } from "./program.ts";
import type { VmTask } from "./program.ts";

const MODULES = ["virtio_pci", "virtio_blk", "virtio_console", "virtio-rng", "virtiofs", "overlay", "loop"];
const MEMORY_MB = 1536;
const DISK_MB = 16 * 1024;

/** Hardware virtualisation or emulation, which is some ten times as slow. */
export type Accelerator = "kvm" | "tcg";

/** QEMU's arguments for a machine whose parts are in the folder `place`. What its first process says comes to standard output. */
export function hardware(
  place: string,
  { image }: Kernel,
  accelerator: Accelerator,
  tasks: number,
): readonly string[] {
  const memory = `${MEMORY_MB}M`;
  const path = (name: string): string => join(place, name);
  const outputs = Array.from({ length: tasks }, (_, index) => [
    ["-chardev", `file,id=task${index + 1},path=${path(`output-${index + 1}`)}`],
    ["-device", `virtserialport,chardev=task${index + 1},nr=${index + 2}`],
  ]);
  // Pages need not be zeroed before they are written, as Debian has it: emulated, that is felt.
  const append = "console=ttyS0 quiet panic=-1 init_on_alloc=0";
  return [
    ["-M", "q35", "-m", memory, "-smp", "2"],
    // Hosts that are virtual themselves refuse the register; emulated, the string instructions of ERMS go byte by byte.
    accelerator === "kvm"
      ? ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"]
      : ["-accel", "tcg,thread=multi", "-cpu", "max,erms=off"],
    ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-device", "virtio-rng-pci"],
    // The file server reads and writes the machine's memory.
    ["-object", `memory-backend-memfd,id=memory,size=${memory},share=on`, "-numa", "node,memdev=memory"],
    ["-chardev", `socket,id=host,path=${path("socket")}`],
    ["-device", "vhost-user-fs-pci,chardev=host,tag=host"],
    ["-drive", `file=${path("disk")},format=raw,if=virtio,cache=unsafe`],
    ["-device", "virtio-serial-pci"],
    ["-chardev", "stdio,id=status,signal=off", "-device", "virtserialport,chardev=status,nr=1"],
    ...outputs.flat(),
    ["-chardev", `file,id=console,path=${path("console")}`, "-serial", "chardev:console"],
    ["-kernel", image, "-initrd", path("initramfs"), "-append", append],
  ].flat();
}

/** Makes the parts that have to be there before the machine starts. */
export async function makeParts(place: string, kernel: Kernel, tasks: readonly VmTask[]): Promise<void> {
  await writeFile(join(place, "initramfs"), await initramfs(kernel, tasks.length));
  await makeDisk(place, tasks);
}

async function initramfs(kernel: Kernel, tasks: number): Promise<Buffer> {
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
    text("tasks", String(tasks)),
    text("modules/order", modules.map((file) => `${basename(file)}\n`).join("")),
    ...(await Promise.all(
      modules.map(async (file) => program(`modules/${basename(file)}`, await readFile(file))),
    )),
  ]);
}

async function makeDisk(place: string, tasks: readonly VmTask[]): Promise<void> {
  const contents = join(place, "contents");
  await mkdir(join(contents, "program"), { recursive: true });
  await writeProgram(join(contents, "program"), "/run/program", tasks);
  const file = await open(join(place, "disk"), "w");
  // Sparse: it takes what is written.
  await file.truncate(DISK_MB * 1024 * 1024);
  await file.close();
  const options = ["-q", "-F", "-t", "ext4", "-O", "^has_journal", "-E", "nodiscard", "-d", contents];
  execFileSync("/sbin/mke2fs", [...options, join(place, "disk")]);
}
