import { homedir } from "node:os";
import { join } from "node:path";

/** Where is kept what can be fetched or made again, as far as variables say; `--cache` wins over it. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return environment["THAW_CACHE"] || defaultCacheFolder(environment);
}

/** The folder of this user alone that other programs use for the same, too. */
export function defaultCacheFolder(environment: NodeJS.ProcessEnv): string {
  const home = environment["HOME"] || homedir();
  return join(environment["XDG_CACHE_HOME"] || join(home, ".cache"), "thaw");
}
