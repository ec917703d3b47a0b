import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { accessSync, constants, existsSync } from "node:fs";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processorMs } from "#cli/bench/subjects";
import { hardware, makeParts } from "./hardware.ts";
import type { Accelerator } from "./hardware.ts";
import { cacheFolder, debianKernel } from "./kernel.ts";
import type { Kernel } from "./kernel.ts";
import type { VmTask } from "./program.ts";

/** For a machine to get as far as its first process: it takes a second without emulation, some five with it. */
const BOOT_MS = 100_000;
/** One without emulation hangs if it has taken so much processor time for that, or waits, whatever else the host does meanwhile. */
const [KVM_BOOT_CPU_MS, KVM_BOOT_MS] = [4000, 40_000];

export interface VmResult {
  readonly status: number;
  /** What the task wrote to its standard output and error. */
  readonly output: string;
}

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
 * Debian's cloud kernel with version 2 control groups over a writable copy-on-write view of this host's files. It runs its
 * tasks, which are numbered from 1, one after the other, with THAW_IN_VM set. Nothing of the host is changed.
 */
export class Vm {
  readonly #place: string;
  readonly #server: ChildProcess;
  readonly #machine: ChildProcess;
  #said = "";
  #over = false;
  /** Tells of all that the machine says, and of its end. */
  readonly #news = new EventEmitter();

  private constructor(place: string, server: ChildProcess, machine: ChildProcess) {
    [this.#place, this.#server, this.#machine] = [place, server, machine];
    machine.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
      this.#news.emit("news");
    });
    machine.once("close", () => {
      this.#over = true;
      this.#news.emit("news");
    });
  }

  /** Resolves when its first process runs. @throws Error with the end of the kernel's console where it does not get there */
  static async boot(tasks: readonly VmTask[]): Promise<Vm> {
    const kernel = await debianKernel();
    if (mayUseKvm(kernel)) {
      const vm = await Vm.#start(kernel, "kvm", tasks);
      if (await vm.#boots(KVM_BOOT_MS, KVM_BOOT_CPU_MS)) return vm;
      await vm.end();
      // Machines that are virtual themselves may offer a KVM under which nothing boots: remembered, so as to wait for it once.
      await writeFile(unusableKvm(kernel), "");
    }
    const vm = await Vm.#start(kernel, "tcg", tasks);
    if (await vm.#boots(BOOT_MS)) return vm;
    const problem = await vm.#problem("the machine does not boot, not even emulated");
    await vm.end();
    throw problem;
  }

  static async #start(kernel: Kernel, accelerator: Accelerator, tasks: readonly VmTask[]): Promise<Vm> {
    const place = await mkdtemp(join(tmpdir(), "thaw-vm-"));
    try {
      await makeParts(place, kernel, tasks);
      const server = await shareFiles(join(place, "socket"));
      const complaints = await open(join(place, "qemu"), "w");
      const args = hardware(place, kernel, accelerator, tasks.length);
      const machine = spawn("qemu-system-x86_64", args, { stdio: ["pipe", "pipe", complaints.fd] });
      await complaints.close();
      return new Vm(place, server, machine);
    } catch (error) {
      await rm(place, { recursive: true, force: true });
      throw error;
    }
  }

  /** How a task ended. @throws Error with all there is to know where it does not end in time; then the machine is ended */
  async result(task: number, timeoutMs: number): Promise<VmResult> {
    const ended = new RegExp(`^task ${task}: (\\d+)\n`, "mu");
    await this.#until(() => ended.test(this.#said), timeoutMs);
    const status = ended.exec(this.#said)?.[1];
    const output = await this.#read(`output-${task}`);
    if (status !== undefined) return { status: Number(status), output };
    const what = this.#over ? "the machine ended before the task" : "the task did not come to an end in time";
    this.#machine.kill("SIGKILL");
    throw await this.#problem(`${what}:\n${output}`);
  }

  async end(): Promise<void> {
    await Promise.all([this.#machine, this.#server].map(end));
    await rm(this.#place, { recursive: true, force: true });
  }

  async #boots(timeoutMs: number, cpuMs = Infinity): Promise<boolean> {
    const ready = (): boolean => this.#said.startsWith("ready\n");
    const deadline = performance.now() + timeoutMs;
    while (!ready() && !this.#over && performance.now() < deadline) {
      if (((await processorMs(this.#machine.pid ?? 0)) ?? 0) > cpuMs) break;
      await this.#until(ready, 100);
    }
    return ready();
  }

  /** Resolves when it holds, when the machine is over, or after that time. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs);
    while (!condition() && !this.#over && !signal.aborted)
      await once(this.#news, "news", { signal }).catch(() => undefined);
  }

  async #problem(what: string): Promise<Error> {
    const console = await this.#read("console");
    return new Error(`${what}\n${await this.#read("qemu")}\n${console.slice(-2000)}`);
  }

  async #read(name: string): Promise<string> {
    return readFile(join(this.#place, name), "utf8").catch(() => "");
  }
}

function mayUseKvm(kernel: Kernel): boolean {
  try {
    accessSync("/dev/kvm", constants.R_OK | constants.W_OK);
    return !existsSync(unusableKvm(kernel));
  } catch {
    return false;
  }
}

function unusableKvm({ release }: Kernel): string {
  return join(cacheFolder, `no-kvm-${release}`);
}

function virtiofsd(): string | undefined {
  return ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"].find((path) => existsSync(path));
}

async function shareFiles(socket: string): Promise<ChildProcess> {
  const args = [`--socket-path=${socket}`, "-o", "source=/,cache=always,sandbox=chroot", "-f"];
  const server = spawn(virtiofsd() ?? "", args, { stdio: "ignore" });
  while (!existsSync(socket)) {
    if (server.exitCode !== null || server.signalCode !== null)
      throw new Error("the file server ended at once");
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
