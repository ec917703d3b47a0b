import module from "node:module";
import v8 from "node:v8";

/** Of Node.js 24, the newest that this was tried with: V8 complains about flags that it does not know. */
const NEWEST_V8 = 13;

/**
 * Lets V8 give up, as it does bytecode, machine code of its baseline compiler that has not run for some collections. It makes
 * such code of whatever ran a few times, and keeps it for good: more than a megabyte once a thousand functions have come and
 * gone. For a process that has started and goes on for long: what was compiled under other flags, Node.js's own modules
 * included, is not taken from a cache any more.
 */
export function flushBaselineCode(): void {
  if (Number.parseInt(process.versions.v8, 10) > NEWEST_V8) return;
  const { enableCompileCache, flushCompileCache } = module as {
    enableCompileCache?: unknown;
    flushCompileCache?: () => void;
  };
  // What is kept on disk until the end of the process would be of no use to the next start.
  if (enableCompileCache !== undefined && flushCompileCache === undefined) return;
  flushCompileCache?.();
  v8.setFlagsFromString("--flush-baseline-code");
}
