import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { openBubblewrap } from "#engine/sandbox/bubblewrap/backend";
import type { BubblewrapBackend, BubblewrapOptions } from "#engine/sandbox/bubblewrap/backend";
import type { Sandbox, SandboxBackend, SandboxExit, SandboxOptions } from "#engine/sandbox/contract";
import { guarded } from "#engine/sandbox/guard";
import { processBackend } from "#engine/sandbox/process/backend";
import { openOci } from "#engine/sandbox/oci/backend";
import { findOciRuntime } from "#engine/sandbox/oci/runtime";
import { ensureBuilt } from "../../support/built.ts";

/** A back end over a folder of its own. */
export interface Host {
  readonly backend: SandboxBackend;
  /** Where a test may put code. */
  readonly folder: string;
  /** As `backend`, where that is bubblewrap. */
  readonly bubblewrap: BubblewrapBackend | undefined;
  readonly problems: unknown[];
  close(): Promise<void>;
}

export type OpenHost = () => Promise<Host>;

export async function processHost(): Promise<Host> {
  const folder = mkdtempSync(join(tmpdir(), "thaw-sandbox-"));
  const backend = guarded(processBackend({ folder: join(folder, "environments") }));
  await backend.clean();
  return { backend, folder, bubblewrap: undefined, problems: [], close: () => end(backend, folder) };
}

export function bubblewrapHost(): Promise<Host> {
  return namespacesHost((options) => openBubblewrap(options));
}

export const ociHost =
  (runtime: "crun" | "runc"): OpenHost =>
  () =>
    namespacesHost((options) => openOci({ ...options, runtime }));

async function namespacesHost(
  openBackend: (options: BubblewrapOptions) => Promise<BubblewrapBackend>,
): Promise<Host> {
  const dist = await ensureBuilt();
  const folder = mkdtempSync(join(tmpdir(), "thaw-sandbox-"));
  const problems: unknown[] = [];
  const bubblewrap = await openBackend({
    folder: join(folder, "sandboxes"),
    instance: folder,
    clock: systemClock,
    ids: systemIds,
    network: { mode: "none", localNetwork: "deny" },
    freezeMs: 20,
    spawnerScript: join(dist, "spawner-main.js"),
    onProblem: (error) => problems.push(error),
  });
  await bubblewrap.ready?.();
  const backend = guarded(bubblewrap);
  return { backend, folder, bubblewrap, problems, close: () => end(backend, folder) };
}

/** Whether this host has an OCI runtime, and namespaces to give it. */
export async function ociUsable(runtime: "crun" | "runc"): Promise<boolean> {
  const found = await findOciRuntime(runtime).catch(() => undefined);
  return found !== undefined && (await bubblewrapUsable()).usable;
}

async function end(backend: SandboxBackend, folder: string): Promise<void> {
  await backend.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Makes a tree of files. */
export function tree(folder: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text, { mode: 0o444 });
  }
  return folder;
}

/** A guest that runs a shell script, and all that it has told. */
export interface Guest {
  readonly sandbox: Sandbox;
  readonly exit: Promise<SandboxExit>;
  readonly output: () => string;
  readonly frames: () => string;
  /** Resolves when its frames contain `text`; rejects when it ends without. */
  said(text: string): Promise<void>;
}

let lastId = 0;

export function startGuest({ backend }: Host, script: string, options: Partial<SandboxOptions> = {}): Guest {
  let output = "";
  let frames = "";
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const each of waiting) each();
  };
  let exited: SandboxExit | undefined;
  let resolveExit: (exit: SandboxExit) => void;
  const exit = new Promise<SandboxExit>((resolve) => {
    resolveExit = resolve;
  });
  const sandbox = backend.start(
    {
      id: `guest-${process.pid}-${++lastId}`,
      command: "/bin/sh",
      args: ["-c", script],
      mounts: [],
      environment: { PATH: "/usr/bin:/bin" },
      memoryMb: 256,
      ephemeralStorageMb: 512,
      ...options,
    },
    {
      frames(chunk) {
        frames += chunk.toString();
        wake();
      },
      output(_descriptor, chunk) {
        output += chunk.toString();
      },
      exiting() {},
      exited(how) {
        exited = how;
        resolveExit(how);
        wake();
      },
    },
  );
  return {
    sandbox,
    exit,
    output: () => output,
    frames: () => frames,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (frames.includes(text)) resolve();
          else if (exited !== undefined)
            reject(new Error(`ended with ${JSON.stringify(exited)} ${String(exited.error)}: ${output}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Runs a script to its end; what it wrote to its descriptors 1 and 2. */
export async function run(host: Host, script: string, options?: Partial<SandboxOptions>): Promise<string> {
  const guest = startGuest(host, script, options);
  const { error } = await guest.exit;
  await guest.sandbox.kill();
  if (error !== undefined) throw error;
  return guest.output();
}

/** Whether any process of this host has `text` in its command line. */
export async function runs(text: string): Promise<boolean> {
  const { readdir } = await import("node:fs/promises");
  const found = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((name) => readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "")),
  );
  return found.some((line) => line.includes(text));
}
