import { openSync, readdirSync, readFileSync } from "node:fs";

/** In the `flags` of /proc/self/fdinfo, which are octal (proc(5)). */
const CLOSE_ON_EXEC = 0o2000000;

let nothing: number | undefined;

/**
 * Descriptors of this process that every program it starts would inherit: what Node.js opens is closed on exec, but
 * libraries need not do so. LMDB does not: a guest would have the whole data folder's state open, for writing.
 */
export function inheritable(): readonly number[] {
  try {
    return readdirSync("/proc/self/fdinfo")
      .map(Number)
      .filter((descriptor) => descriptor > 2 && passesOn(descriptor));
  } catch {
    // Not Linux.
    return [];
  }
}

function passesOn(descriptor: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The one that listed the folder.
    return false;
  }
}

type Stdio = "ignore" | "pipe" | "ipc" | number;

/** `stdio` for `spawn` with /dev/null in the place of each such descriptor that is not one of its own. */
export function withoutOthers(stdio: readonly Stdio[], others: readonly number[] = inheritable()): Stdio[] {
  const whole = [...stdio];
  for (const descriptor of others) {
    if (descriptor < stdio.length) continue;
    // Left as they are in the child, where they are closed on exec.
    while (whole.length < descriptor) whole.push("ignore");
    nothing ??= openSync("/dev/null", "r");
    whole[descriptor] = nothing;
  }
  return whole;
}
