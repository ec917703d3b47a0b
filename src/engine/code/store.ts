import { createHash } from "node:crypto";
import { AwsError } from "#core/errors";
import type { Ids } from "#core/ids";
import type { BlobId, Blobs } from "#storage/blobs";
import type { CodePackage } from "../contract.ts";
import type { ImageStore } from "./images/store.ts";
import { type Unzip, unzipInPlace } from "./unzip-in-place.ts";
import type { FolderUse } from "./folder-use.ts";
import { CompleteFolders } from "./folders.ts";
import { BadArchive } from "./entries.ts";
import { bytesIn } from "./size.ts";

/** AWS Lambda Developer Guide, "Lambda quotas": 250 MB unzipped, layers included. */
export const MAX_UNZIPPED_BYTES = 262_144_000;
const LIMITS = {
  bytes: MAX_UNZIPPED_BYTES,
  /** Far over what fits into 250 MB of real packages, far under what would exhaust inodes or memory. */
  entries: 200_000,
} as const;

export interface CodeStoreOptions {
  readonly folder: string;
  readonly blobs: Blobs;
  readonly ids: Ids;
  /** Default: in the calling thread. */
  readonly unzip?: Unzip;
  /** What knows code that is an image. */
  readonly images?: ImageStore;
  /** Told of each folder that is asked for. */
  readonly use?: FolderUse;
}

/** Unpacked packages, one folder a blob, shared by all environments and never changed once it has its name. */
export class CodeStore {
  readonly #options: CodeStoreOptions;
  readonly #folders: CompleteFolders;
  readonly #prepared = new Map<string, Promise<string>>();
  readonly #ready = new Map<string, string>();
  /** Of packages: the bytes of all their files. */
  readonly #unpackedBytes = new Map<string, number>();

  constructor(options: CodeStoreOptions) {
    this.#options = options;
    this.#folders = new CompleteFolders(options.folder, options.ids);
  }

  /** Removes what a crash left half unpacked. Call before the first `prepare`. */
  clean(): Promise<void> {
    return this.#folders.clean();
  }

  /** The folder of a package that has been prepared, without waiting. */
  ready(code: CodePackage): string | undefined {
    return this.#ready.get(code.blob);
  }

  /**
   * Unpacks a package, or an image, unless that has been done; resolves with its folder. Callers at the same time share the work.
   * @throws AwsError InvalidParameterValueException, in AWS's words
   */
  prepare(code: CodePackage): Promise<string> {
    const { images } = this.#options;
    if (code.image !== undefined && images !== undefined)
      return images.prepare(code).then(({ root }) => root);
    let prepared = this.#prepared.get(code.blob);
    if (prepared === undefined) {
      prepared = this.#unpack(code);
      this.#prepared.set(code.blob, prepared);
      prepared.then(
        (path) => this.#ready.set(code.blob, path),
        () => this.#prepared.delete(code.blob),
      );
    }
    this.#options.use?.ask(this.path(code.blob));
    return prepared;
  }

  /** The bytes of all of a package's files. @throws as `prepare` */
  async unpackedBytes(code: CodePackage): Promise<number> {
    const folder = await this.prepare(code);
    const bytes = this.#unpackedBytes.get(code.blob) ?? (await bytesIn(folder));
    this.#unpackedBytes.set(code.blob, bytes);
    return bytes;
  }

  names(): Promise<readonly string[]> {
    return this.#folders.names();
  }

  path(name: string): string {
    return this.#folders.path(name);
  }

  /** Removes a package's blob, then its folder: what a crash leaves is found by the folder. */
  async discard(name: string): Promise<() => Promise<void>> {
    this.#prepared.delete(name);
    this.#ready.delete(name);
    this.#unpackedBytes.delete(name);
    if (!name.startsWith(MERGED)) await this.#options.blobs.remove(name);
    return this.#folders.discard(name);
  }

  /**
   * Unpacks layers and merges them in order, as AWS does in /opt: a later layer's file replaces an earlier one's. One
   * folder a list, shared by all functions that have the same.
   * @throws AwsError InvalidParameterValueException, in AWS's words
   */
  async prepareLayers(layers: readonly CodePackage[]): Promise<string | undefined> {
    const folders = await Promise.all(layers.map((layer) => this.prepare(layer)));
    if (folders.length <= 1) return folders[0];
    const name = mergedFolder(layers.map(({ blob }) => blob));
    this.#options.use?.ask(this.path(name));
    let merged = this.#prepared.get(name);
    if (merged === undefined) {
      const { unzip = unzipInPlace } = this.#options;
      const archiveBytes = layers.reduce((sum, { bytes }) => sum + bytes, 0);
      merged = this.#folders.make(name, (building) => unzip.merge(folders, building, archiveBytes));
      this.#prepared.set(name, merged);
      merged.catch(() => this.#prepared.delete(name));
    }
    return merged;
  }

  async #unpack({ blob }: CodePackage): Promise<string> {
    const { blobs, unzip = unzipInPlace } = this.#options;
    const fill = async (building: string): Promise<void> => {
      const archive = await blobs.path(blob);
      this.#unpackedBytes.set(blob, await unzip.unzip(archive, building, LIMITS));
    };
    try {
      return await this.#folders.make(blob, fill, (folder) => this.#isWhole(blob, folder));
    } catch (error) {
      if (error instanceof BadArchive) throw refusal(error);
      throw error;
    }
  }

  /** Whether an earlier process's folder has all of a package. Where that cannot be told, it is taken as it is. */
  async #isWhole(blob: BlobId, folder: string): Promise<boolean> {
    const { blobs, unzip = unzipInPlace } = this.#options;
    try {
      const bytes = await unzip.find(await blobs.path(blob), folder, LIMITS);
      if (bytes === undefined) await this.#discardMerged();
      else this.#unpackedBytes.set(blob, bytes);
      return bytes !== undefined;
    } catch {
      return true;
    }
  }

  /** Folders of merged layers have the same files as the layers' own. Those that this process made are of whole ones. */
  async #discardMerged(): Promise<void> {
    for (const name of await this.names()) {
      if (!name.startsWith(MERGED) || this.#prepared.has(name)) continue;
      // Another package's turn may have been faster.
      const empty = await this.#folders.discard(name).catch(() => undefined);
      await empty?.();
    }
  }
}

/** What the folders of merged layers begin with; no blob's name does. */
const MERGED = "layers-";

/** The name of the folder that a list of several layers is merged into. */
export function mergedFolder(layers: readonly BlobId[]): string {
  return MERGED + createHash("sha256").update(layers.join("\n")).digest("hex");
}

/** Recorded wording of both refusals. */
function refusal(error: BadArchive): AwsError {
  const message =
    error.kind === "too-large"
      ? `Unzipped size must be smaller than ${MAX_UNZIPPED_BYTES} bytes`
      : "Could not unzip uploaded file. Please check your file, then try to upload again.";
  return new AwsError("InvalidParameterValueException", message, {
    members: { Type: "User", message },
    cause: error,
  });
}
