import type { Ids } from "#core/ids";
import type { Blobs } from "#storage/blobs";
import type { CodePackage } from "../../contract.ts";
import type { FolderUse } from "../folder-use.ts";
import { CompleteFolders, isFolder } from "../folders.ts";
import { archiveSource } from "./archive.ts";
import { BadImage, ImageProblem } from "./errors.ts";
import { layoutSource, pathBelow } from "./layout.ts";
import { chooseEntry, MAX_IMAGE_BYTES, parseConfig, parseDocument } from "./manifest.ts";
import type { ARCHITECTURES, Descriptor, ImageConfig, ImageManifest } from "./manifest.ts";
import { parseImageUri } from "./reference.ts";
import { registrySource } from "./registry.ts";
import { digestOf, readDocument, verified } from "./source.ts";
import type { ImageSource } from "./source.ts";
import { unpack as unpackHere } from "./unpack.ts";
import type { Unpack } from "./unpack.ts";

/** Far over what images have, far under what would exhaust inodes. */
const MAX_ENTRIES = 1_000_000;

export interface ImageStoreOptions {
  readonly folder: string;
  readonly blobs: Blobs;
  readonly ids: Ids;
  /** Where `oci:` and `oci-archive:` images are; undefined: nowhere. */
  readonly imagesFolder?: string | undefined;
  /** Default: in the calling thread. */
  readonly unpack?: Unpack | undefined;
  /** Told of each folder that is asked for. */
  readonly use?: FolderUse;
}

/** An image that is ready to run. */
export interface PreparedImage {
  /** The unpacked root file system; never written to again. */
  readonly root: string;
  readonly config: ImageConfig;
}

/** Images: their manifests, configurations and layers as blobs, their root file systems one folder a manifest. */
export class ImageStore {
  readonly #options: ImageStoreOptions;
  readonly #folders: CompleteFolders;
  readonly #prepared = new Map<string, Promise<PreparedImage>>();

  constructor(options: ImageStoreOptions) {
    this.#options = options;
    this.#folders = new CompleteFolders(options.folder, options.ids);
  }

  /** Removes what a crash left half unpacked. Call before the first `prepare`. */
  clean(): Promise<void> {
    return this.#folders.clean();
  }

  /**
   * Finds an image and fetches its manifest and configuration, as AWS does before it answers. The answer stays what it is,
   * whatever its tag names later. @throws ImageProblem
   */
  async resolve(uri: string, architecture: keyof typeof ARCHITECTURES): Promise<CodePackage> {
    return this.#told(uri, async () => {
      const source = await this.#source(uri);
      const bytes = await manifestOf(source, architecture);
      if (bytes === undefined) throw ImageProblem.missing(uri);
      const manifest = readManifest(bytes);
      const digest = digestOf(bytes);
      await this.#options.blobs.put(bytes);
      await this.#fetch(source, manifest.config);
      const config = await this.#config(manifest);
      if (config.diffIds.length !== manifest.layers.length)
        throw new BadImage("broken", "layers that the configuration does not know");
      const hex = digest.slice("sha256:".length);
      this.#options.use?.ask(this.path(hex));
      return {
        blob: hex,
        sha256: hex,
        bytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
        image: { uri, resolvedUri: source.resolvedUri(digest) },
      };
    });
  }

  /** Fetches and unpacks an image's layers unless that has been done. Callers at the same time share the work. @throws ImageProblem */
  prepare(code: CodePackage): Promise<PreparedImage> {
    let prepared = this.#prepared.get(code.blob);
    if (prepared === undefined) {
      prepared = this.#prepare(code);
      this.#prepared.set(code.blob, prepared);
      prepared.catch(() => this.#prepared.delete(code.blob));
    }
    this.#options.use?.ask(this.path(code.blob));
    return prepared;
  }

  names(): Promise<readonly string[]> {
    return this.#folders.names();
  }

  path(name: string): string {
    return this.#folders.path(name);
  }

  /** Removes an image's configuration and layers, but for those that others share, then its manifest, then its folder. */
  async discard(name: string): Promise<() => Promise<void>> {
    const { blobs } = this.#options;
    this.#prepared.delete(name);
    const own = await this.#blobsOf(name);
    for (const other of await this.names())
      if (other !== name) for (const shared of await this.#blobsOf(other)) own.delete(shared);
    for (const blob of own) await blobs.remove(blob);
    await blobs.remove(name);
    return this.#folders.discard(name);
  }

  /** Empty where the manifest is gone: a crash came between the blobs and the folder. */
  async #blobsOf(manifest: string): Promise<Set<string>> {
    if (!(await this.#options.blobs.has(manifest))) return new Set();
    const { config, layers } = readManifest(await this.#options.blobs.get(manifest));
    return new Set([config, ...layers].map(({ digest }) => digest.slice("sha256:".length)));
  }

  async #prepare({ blob, image }: CodePackage): Promise<PreparedImage> {
    const uri = image?.uri ?? "";
    return this.#told(uri, async () => {
      const manifest = readManifest(await this.#options.blobs.get(blob));
      const root = await this.#folders.make(blob, (building) => this.#unpack(uri, manifest, building));
      return { root, config: await this.#config(manifest) };
    });
  }

  async #unpack(uri: string, manifest: ImageManifest, target: string): Promise<void> {
    const { blobs, unpack = unpackHere } = this.#options;
    let source: ImageSource | undefined;
    // The configuration, too, may have been given back with another image.
    for (const part of [manifest.config, ...manifest.layers]) {
      if (await blobs.has(part.digest.slice("sha256:".length))) continue;
      source ??= await this.#source(uri);
      await this.#fetch(source, part);
    }
    const { diffIds } = await this.#config(manifest);
    const layers = await Promise.all(
      manifest.layers.map(async ({ digest, mediaType }, index) => ({
        file: await blobs.path(digest.slice("sha256:".length)),
        mediaType,
        diffId: diffIds[index] ?? "",
      })),
    );
    await unpack({ layers, target, limits: { bytes: MAX_IMAGE_BYTES, entries: MAX_ENTRIES } });
  }

  async #config({ config }: ImageManifest): Promise<ImageConfig> {
    return parseConfig(
      await readDocument(await this.#options.blobs.open(config.digest.slice("sha256:".length))),
    );
  }

  async #fetch(source: ImageSource, descriptor: Descriptor): Promise<void> {
    const { blobs } = this.#options;
    if (await blobs.has(descriptor.digest.slice("sha256:".length))) return;
    const stream = await source.blob(descriptor.digest);
    if (stream === undefined) throw new BadImage("broken", `there is no blob ${descriptor.digest}`);
    await blobs.put(verified(stream, descriptor));
  }

  async #source(uri: string): Promise<ImageSource> {
    const reference = parseImageUri(uri);
    if (reference === undefined) throw ImageProblem.notValid(uri);
    if (reference.kind === "registry") return registrySource(uri, reference);
    const { imagesFolder, blobs } = this.#options;
    if (imagesFolder === undefined)
      throw ImageProblem.notValid(uri, "images on disk are taken from the folder that --images names");
    const path = await pathBelow(imagesFolder, reference.path);
    if (path === undefined || (await isFolder(path)) !== (reference.kind === "folder"))
      throw ImageProblem.missing(uri);
    return reference.kind === "folder"
      ? layoutSource(path, reference)
      : archiveSource(path, reference, blobs);
  }

  async #told<T>(uri: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BadImage)) throw error;
      throw error.kind === "unsupported"
        ? ImageProblem.notSupported(uri)
        : ImageProblem.notValid(uri, error.message);
    }
  }
}

/** The manifest of an image for one architecture, by way of at most two indexes: a layout's own, and an image's. */
async function manifestOf(
  source: ImageSource,
  architecture: keyof typeof ARCHITECTURES,
): Promise<Buffer | undefined> {
  const root = await source.root();
  let bytes = root?.bytes;
  let tag = root?.tag;
  for (let depth = 0; depth < 3 && bytes !== undefined; depth++) {
    const document = parseDocument(bytes);
    if (document.kind === "manifest") return bytes;
    const entry = chooseEntry(document.entries, architecture, tag);
    tag = undefined;
    if (entry === undefined) return undefined;
    bytes = await source.manifest(entry.digest);
    if (bytes !== undefined && digestOf(bytes) !== entry.digest)
      throw new BadImage("broken", `${entry.digest} has other bytes`);
  }
  if (bytes === undefined) return undefined;
  throw new BadImage("unsupported", "an index within an index within an index");
}

function readManifest(bytes: Uint8Array): ImageManifest {
  const document = parseDocument(bytes);
  if (document.kind === "index") throw new BadImage("unsupported", "an index in place of a manifest");
  return document.manifest;
}
