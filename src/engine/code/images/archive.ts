import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import type { Blobs } from "#storage/blobs";
import { BadImage } from "./errors.ts";
import { blobPath } from "./layout.ts";
import { list, MAX_IMAGE_BYTES, MEDIA_TYPES, parseJson, record, strings } from "./manifest.ts";
import type { ImageReference } from "./reference.ts";
import { readDocument } from "./source.ts";
import type { ImageSource } from "./source.ts";

/** More files than any image's archive has: its blobs, and a handful of documents. */
const MAX_FILES = 10_000;

interface Stored {
  readonly id: string;
  readonly bytes: number;
}

/**
 * An archive of an OCI image layout, or of `docker save`. Its files go to the blob store in one pass: a tar can only be read
 * from its beginning. @throws BadImage
 */
export async function archiveSource(
  file: string,
  { path, tag }: Extract<ImageReference, { path: string }>,
  blobs: Blobs,
): Promise<ImageSource> {
  const files = await importFiles(file, blobs);
  const ids = new Set([...files.values()].map(({ id }) => id));
  const read = async (name: string): Promise<Buffer | undefined> => {
    const stored = files.get(name);
    return stored === undefined ? undefined : readDocument(await blobs.open(stored.id));
  };
  const layout = await read("index.json");
  const saved = layout === undefined ? await savedImage(files, read, tag) : undefined;
  return {
    root() {
      if (layout !== undefined) return Promise.resolve({ bytes: layout, tag });
      return Promise.resolve(saved === undefined ? undefined : { bytes: saved, tag: undefined });
    },
    manifest: (digest) => read(blobPath(digest)),
    async blob(digest): Promise<Readable | undefined> {
      // Those of `docker save` have other names in the archive; all lie in the store by their digests.
      const id = digest.slice("sha256:".length);
      return ids.has(id) ? blobs.open(id) : undefined;
    },
    resolvedUri: (digest) => `oci-archive:${path}@${digest}`,
  };
}

async function importFiles(file: string, blobs: Blobs): Promise<ReadonlyMap<string, Stored>> {
  const files = new Map<string, Stored>();
  const links: { name: string; to: string }[] = [];
  let left = 2 * MAX_IMAGE_BYTES;
  const tar = extract();
  const source = createReadStream(file);
  const whole = (await isGzip(file)) ? pipeline(source, createGunzip(), tar) : pipeline(source, tar);
  whole.catch(() => undefined);
  try {
    for await (const entry of tar) {
      const { name, type, size = 0, linkname } = entry.header;
      left -= size;
      if (left < 0 || files.size + links.length > MAX_FILES)
        throw new BadImage("too-large", "the archive is too large");
      const plain = name.replace(/^\.\//, "");
      if (type === "file") {
        const stored = await blobs.put(Readable.from(entry));
        files.set(plain, stored);
      } else {
        // Older `docker save` links layers that images share.
        if ((type === "symlink" || type === "link") && typeof linkname === "string")
          links.push({ name: plain, to: linkname.replace(/^(?:\.\.?\/)+/, "") });
        entry.resume();
      }
    }
    await whole;
  } catch (error) {
    throw error instanceof BadImage ? error : new BadImage("broken", "the archive cannot be read");
  }
  for (const { name, to } of links) {
    const stored = files.get(to);
    if (stored !== undefined) files.set(name, stored);
  }
  return files;
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
  } finally {
    await handle.close();
  }
}

/** The manifest that `docker save` leaves out: its layers lie there uncompressed, so that their digests are those of the configuration. */
async function savedImage(
  files: ReadonlyMap<string, Stored>,
  read: (name: string) => Promise<Buffer | undefined>,
  tag: string | undefined,
): Promise<Buffer | undefined> {
  const bytes = await read("manifest.json");
  if (bytes === undefined) return undefined;
  const images = list(parseJson(bytes)).map((image) => {
    const { Config, Layers, RepoTags } = record(image);
    return { config: String(Config), layers: strings(Layers), tags: strings(RepoTags) };
  });
  const chosen =
    tag === undefined
      ? images.length === 1
        ? images[0]
        : undefined
      : images.find(({ tags }) => tags.some((name) => name.endsWith(`:${tag}`)));
  if (chosen === undefined) return undefined;
  const descriptor = (name: string, mediaType: string) => {
    const stored = files.get(name);
    if (stored === undefined) throw new BadImage("broken", "the archive lacks a layer");
    return { mediaType, digest: `sha256:${stored.id}`, size: stored.bytes };
  };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.manifests[0],
      config: descriptor(chosen.config, "application/vnd.oci.image.config.v1+json"),
      layers: chosen.layers.map((name) => descriptor(name, "application/vnd.oci.image.layer.v1.tar")),
    }),
  );
}
