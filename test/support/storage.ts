import { afterEach, beforeEach } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { systemIds } from "../../src/core/ids.ts";
import { openLocalStorage } from "../../src/storage/local/open.ts";
import type { Storage } from "../../src/storage/storage.ts";

/** An empty storage of its own for each test, on disk, removed afterwards. */
export function withStorage(): () => Storage {
  let storage: Storage;
  beforeEach(async () => {
    storage = await openLocalStorage({ folder: "", clock: systemClock, ids: systemIds, ephemeral: true });
  });
  afterEach(() => storage.close());
  return () => storage;
}
