import { makeAccessKeyId } from "#core/access-key-id";
import type { Ids } from "#core/ids";
import { isLoopback } from "#core/loopback";
import { parseRootKey, type RootKey, WELL_KNOWN_ROOT_KEY } from "#core/root-key";
import { readRootKey, rootKeyFile, rootKeyText } from "#config/root-key-file";
import type { Config } from "#config/settings";
import { replaceFile } from "#storage/local/files";
import type { PlatformLog } from "#telemetry/platform-log";

/** The key of the root, and where it is kept if Thaw made it. */
export interface PlatformRootKey {
  readonly key: RootKey;
  readonly file: string | undefined;
}

/**
 * The key that the operator gave; else, beyond loopback, one of the data folder's own, made once; else the well-known
 * one. A folder's own key counts wherever TLS is spoken: clients cannot tell from the address how far one listens.
 * @param data the data folder
 * @throws OperatorError where the kept key cannot be used
 */
export async function openRootKey(
  config: Config,
  data: string,
  { ids, log }: { readonly ids: Ids; readonly log: PlatformLog },
): Promise<PlatformRootKey> {
  if (config.rootKey !== undefined) return { key: parseRootKey(config.rootKey), file: undefined };
  const file = rootKeyFile(data);
  const kept = config.tls ? readRootKey(file) : undefined;
  if (kept !== undefined) return { key: kept, file };
  if (isLoopback(config.host)) return { key: parseRootKey(WELL_KNOWN_ROOT_KEY), file: undefined };
  const key = {
    id: makeAccessKeyId("AKIA", config.account, ids),
    secret: Buffer.from(ids.hex(60), "hex").toString("base64"),
  };
  await replaceFile(file, rootKeyText(key));
  log.info({ file, accessKeyId: key.id }, "a root key was made: thaw env gives it to AWS tools");
  return { key, file };
}
