import { tearDown } from "./host-uplink.ts";
import type { Shell } from "./shell.ts";

/**
 * Writes on a bridge whose it is: its shell's process id, when that started, and the namespace that counts it. The shell
 * ends with its platform, in whatever way that ends.
 */
export function markOwner(name: string): string {
  return `ip link set ${name} alias "$$ $(cut -d' ' -f22 /proc/$$/stat) $(readlink /proc/$$/ns/pid)"`;
}

/**
 * Removes what platforms that died have left on the host: one with a temporary data folder never starts again to do it
 * itself. A bridge without a mark, or of another process-id namespace, is left alone.
 */
export async function removeOrphans(shell: Shell): Promise<void> {
  const here = (await shell.run("readlink /proc/$$/ns/pid")).trim();
  const links: unknown = JSON.parse((await shell.run("ip -j link show type bridge")).trim() || "[]");
  if (!Array.isArray(links)) return;
  for (const link of links as readonly { readonly ifname?: unknown; readonly ifalias?: unknown }[]) {
    const name = /^thaw-[0-9a-f]{5}$/.exec(String(link.ifname))?.[0];
    const mark = /^(\d+) (\d+) (pid:\[\d+\])$/.exec(String(link.ifalias));
    if (name === undefined || mark === null || mark[3] !== here) continue;
    const started = await shell.run(`cut -d' ' -f22 /proc/${mark[1]}/stat || true`);
    if (started.trim() !== mark[2]) await tearDown(shell, name);
  }
}
