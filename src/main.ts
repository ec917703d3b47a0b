import module from "node:module";
import { join } from "node:path";
import { cacheFolder } from "#config/cache";

// Node.js 22.1 and newer keep what they compiled, which is a third of a start's work. It counts for what is loaded from
// here on. Where the folder cannot be written, nothing is kept.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(cacheFolder(), "compiled"));

await import("./program.ts");
