import module from "node:module";
import { join } from "node:path";
import v8 from "node:v8";
import { cacheFolder } from "#config/cache";

// V8 lets go of the bytecode of what has not run for some collections, but not where its baseline compiler made machine code
// of it, as of whatever ran a few times: more than a megabyte once a thousand functions have come and gone. Not for a V8 that is
// newer than those of Node.js 20 to 24: it complains about a flag that it does not know.
if (Number.parseInt(process.versions.v8, 10) <= 13) v8.setFlagsFromString("--flush-baseline-code");

// Node.js 22.1 and newer keep what they compiled, which is a third of a start's work. It counts for what is loaded from
// here on. Where the folder cannot be written, nothing is kept.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(cacheFolder(), "compiled"));

await import("./program.ts");
