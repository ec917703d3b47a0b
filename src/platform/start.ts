import type { RunningPlatform } from "#cli/command";
import type { Config } from "#config/settings";
import { systemClock as clock } from "#core/clock";
import { systemIds as ids } from "#core/ids";
import { openLocalStorage } from "#storage/local/open";
import { assemble } from "./assemble.ts";
import type { Installation } from "./shared.ts";

/**
 * Opens the data folder, starts the parts over it, and listens.
 * @throws OperatorError where the data folder or the address cannot be had; nothing is left open then
 */
export async function startPlatform(config: Config, installation: Installation): Promise<RunningPlatform> {
  const started = clock.monotonic();
  const { data: folder, ephemeral } = config;
  const storage = await openLocalStorage({ folder, clock, ids, ephemeral });
  try {
    const platform = await assemble({ config, installation, storage, clock, ids });
    return { ...platform, startedInMs: Math.round(clock.monotonic() - started) };
  } catch (error) {
    await storage.close();
    throw error;
  }
}
