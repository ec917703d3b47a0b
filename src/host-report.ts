import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#core/clock";
import { OperatorError } from "#core/errors";
import { systemIds } from "#core/ids";
import { isLoopback } from "#core/loopback";
import type { DoctorReport, RuntimeLine } from "#cli/command";
import { hostPath, programName, tlsFolder } from "#config/config";
import { readRootKey, rootKeyFile } from "#config/root-key-file";
import type { Config } from "#config/settings";
import { installHint, RuntimeDiscovery } from "#engine/runtimes/discover";
import { installRuntime } from "#engine/runtimes/install";
import { OS_RUNTIMES } from "#engine/runtimes/provided";
import type { OsRuntime } from "#engine/runtimes/provided";
import type { Enforcement } from "#engine/sandbox/contract";
import { openSandbox, weakness } from "#engine/sandbox/open";
import { snapStartEnforcement } from "#engine/snapshots/enforcement";
import { givenIdentity } from "#server/tls/identity";
import { authorityFile } from "#server/tls/own-identity";

/** Where `thaw runtimes add` puts interpreters: out of the data folder, which may be temporary. */
export function runtimesFolder(config: Config): string {
  return join(config.cache, "runtimes");
}

/** What this host enforces and which runtimes it has, without starting a platform. */
export async function doctor(config: Config): Promise<DoctorReport> {
  const folder = await mkdtemp(join(tmpdir(), "thaw-doctor-"));
  try {
    const { backend, weakened } = await openSandbox({
      sandbox: config.sandbox,
      network: { mode: config.network, localNetwork: config.localNetwork },
      folder,
      instance: folder,
      clock: systemClock,
      ids: systemIds,
    });
    const failed = await backend.ready?.().then(
      () => undefined,
      (error: unknown) => String(error),
    );
    const checks = [
      ...weakness(weakened ?? failed),
      ...backend.enforcement(),
      await snapStartEnforcement(hostPath()),
      ...(config.tls ? [await tlsEnforcement(config)] : []),
      ...rootKeyEnforcement(config),
    ];
    await backend.close();
    return {
      backend: backend.name,
      checks: checks.map((check) => ({ ...check, ...remedyOf(check, weakened ?? config.sandbox) })),
      runtimes: await runtimes(config),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether the port can speak TLS, and whom clients have to trust. */
async function tlsEnforcement(config: Config): Promise<Enforcement> {
  const { tlsCert, tlsKey, data } = config;
  const limit = "TLS";
  if (tlsCert !== undefined && tlsKey !== undefined)
    return givenIdentity(tlsCert, tlsKey)
      .load()
      .then(
        ({ certificate }) => {
          const { validTo } = new X509Certificate(certificate);
          return { limit, level: "enforced", how: `the certificate in ${tlsCert}, which ends on ${validTo}` };
        },
        ({ message }: Error) => ({
          limit,
          level: "not enforced",
          how: message,
          remedy: "give a certificate and its key: thaw up does not start with these",
        }),
      );
  const file = authorityFile(tlsFolder(data));
  const made = existsSync(file) ? "clients trust it" : "made at the first start; clients then trust it";
  return {
    limit,
    level: "enforced",
    how: `Thaw's own certificate: ${made} by AWS_CA_BUNDLE and NODE_EXTRA_CA_CERTS set to ${file}`,
  };
}

/** Which root key counts beyond loopback, where a platform could not start with that of its data folder. */
function rootKeyEnforcement({ host, rootKey, data }: Config): readonly Enforcement[] {
  if (isLoopback(host) || rootKey !== undefined) return [];
  const limit = "root key";
  const file = rootKeyFile(data);
  try {
    const kept = readRootKey(file);
    const made = kept === undefined ? "made at the first start, and then kept" : "kept";
    return [{ limit, level: "enforced", how: `${made} in ${file}: thaw env gives it to AWS tools` }];
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const remedy = "thaw up does not start with this one: remove it, or give one by --root-key";
    return [{ limit, level: "not enforced", how: error.message, remedy }];
  }
}

/** Limits that are off because the operator may want it so, rather than for want of anything on the host. */
const SWITCHES: Readonly<Record<string, string>> = {
  "network: local network": "refused with --local-network deny",
};

/**
 * A limit that is not enforced is never told without what can be done about it.
 * @param sandbox what the operator asked for, or why it could not be had
 */
function remedyOf({ limit, level, remedy }: Enforcement, sandbox: string): { readonly remedy?: string } {
  if (remedy !== undefined) return { remedy };
  if (level === "enforced") return {};
  if (sandbox === "process") return { remedy: "leave out --sandbox process, where bubblewrap works" };
  return { remedy: SWITCHES[limit] ?? "run only functions that you trust" };
}

/** The catalogue of managed runtimes, with the interpreter that serves each, and those that functions bring themselves. */
export async function runtimes(config: Config): Promise<readonly RuntimeLine[]> {
  const discovery = new RuntimeDiscovery({ folder: runtimesFolder(config), path: hostPath() });
  const found = await discovery.list();
  const managed = found.map(({ runtime, interpreter }) => ({
    name: runtime.name,
    state: interpreter === undefined ? ("missing" as const) : ("available" as const),
    version: interpreter?.version,
    path: interpreter?.path,
    ...(interpreter === undefined ? { remedy: installHint(runtime, programName()) } : {}),
    addable: runtime.family === "nodejs",
  }));
  return [...managed, ...OS_RUNTIMES.map(osRuntimeLine)];
}

/** Their programs are made for Linux; a host of another kind runs scripts alone. */
function osRuntimeLine({ name }: OsRuntime): RuntimeLine {
  const linux = process.platform === "linux";
  return {
    name,
    state: linux ? "available" : "missing",
    version: undefined,
    path: undefined,
    ...(linux ? {} : { remedy: "use Linux: programs for these runtimes are made for it" }),
    addable: false,
  };
}

export function addRuntime(config: Config, name: string, progress: (line: string) => void): Promise<void> {
  return installRuntime(name, runtimesFolder(config), progress);
}
