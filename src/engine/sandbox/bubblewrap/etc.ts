import { createHash } from "node:crypto";
import { mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Run } from "../disk/contract.ts";
import type { EtcTexts } from "../network/contract.ts";

/** The user that functions run as (recorded by TestLambdaRuntimesCommon::test_introspection_invoke). */
export const GUEST_UID = 993;
export const GUEST_GID = 990;

const FILES: Readonly<Record<string, string>> = {
  passwd: `root:x:0:0:root:/root:/sbin/nologin
nobody:x:99:99:Nobody:/:/sbin/nologin
sbx_user1051:x:${GUEST_UID}:${GUEST_GID}::/home/sbx_user1051:/sbin/nologin
`,
  group: `root:x:0:
nobody:x:99:
sbx_user1051:x:${GUEST_GID}:
`,
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
};

/** What programs read of the host's own /etc: where libraries are, certificates, and Debian's links to its commands. */
const COPIED = [
  "ld.so.cache",
  "ssl/certs",
  "ssl/openssl.cnf",
  "ssl/ct_log_list.cnf",
  "pki/tls/certs",
  "pki/ca-trust/extracted",
  "alternatives",
  "mime.types",
  "protocols",
  "services",
];

/**
 * By programs: `cp` of Node.js takes as much processor time for the certificates of a host (half a second) as ten first
 * invokes. What the host does not have, or does not let this user read, guests go without.
 */
const COPY = 'cd /etc && for name do [ ! -e "$name" ] || cp -RPp "$name" "$0/$name" 2>/dev/null || :; done';

/** Makes folders for /etc, one for each different network; those of one host share one as a rule. */
export class EtcFolders {
  readonly #folder: string;
  readonly #made = new Map<string, Promise<string>>();
  readonly #hosts = new Map<string, Promise<void>>();

  /** @param folder emptied by whoever owns it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * /etc/hosts of one network: what `for` makes has no name in it that is the environment's own. An address has one file,
   * for whoever has it next too.
   */
  async hosts(network: {
    readonly hosts: string;
    readonly guestAddress: string | undefined;
  }): Promise<{ readonly folder: string; readonly name: string }> {
    const folder = join(this.#folder, "hosts");
    const name = network.guestAddress ?? "127.0.0.1";
    let written = this.#hosts.get(name);
    if (written === undefined) {
      // Where extensions are told to listen for telemetry (AWS Lambda Developer Guide, "Telemetry API").
      const text = `${network.hosts.trimEnd()}\n${name} sandbox.localdomain sandbox\n`;
      written = mkdir(folder, { recursive: true, mode: 0o755 }).then(() =>
        writeFile(join(folder, name), text, { mode: 0o644 }),
      );
      this.#hosts.set(name, written);
      written.catch(() => this.#hosts.delete(name));
    }
    await written;
    return { folder, name };
  }

  /** @param run in which mount namespace, is all the same */
  for(network: EtcTexts, run: Run): Promise<string> {
    const key = createHash("sha256")
      .update(`${network.hosts}\0${network.resolvConf}`)
      .digest("hex")
      .slice(0, 16);
    let made = this.#made.get(key);
    if (made === undefined) {
      made = this.#make(join(this.#folder, key), network, run);
      this.#made.set(key, made);
      made.catch(() => this.#made.delete(key));
    }
    return made;
  }

  async #make(path: string, { hosts, resolvConf }: EtcTexts, run: Run): Promise<string> {
    const draft = `${path}.tmp`;
    for (const stale of [draft, path]) await rm(stale, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o755 });
    const java = (await readdir("/etc")).filter((name) => name.startsWith("java-"));
    const names = [...COPIED, ...java];
    await Promise.all(names.map((name) => mkdir(dirname(join(draft, name)), { recursive: true })));
    await run(["sh", "-c", COPY, draft, ...names]);
    const files = Object.entries({ ...FILES, hosts, "resolv.conf": resolvConf });
    await Promise.all([
      ...files.map(([name, text]) => writeFile(join(draft, name), text, { mode: 0o644 })),
      symlink("/usr/share/zoneinfo/UTC", join(draft, "localtime")),
      symlink("../usr/lib/os-release", join(draft, "os-release")),
      symlink("/proc/mounts", join(draft, "mtab")),
    ]);
    await rename(draft, path);
    return path;
  }
}
