import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Headers } from "tar-stream";

/** One entry of a layer. */
export interface LayerEntry extends Partial<Headers> {
  readonly name: string;
  readonly data?: string | Buffer;
}

export interface TestImage {
  readonly layers: readonly (readonly LayerEntry[])[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** In Go's words. Default: this host's. */
  readonly architecture?: string;
  readonly tag?: string;
}

/** The blobs of images, by digest, and an index over them. */
export interface Layout {
  readonly blobs: Map<string, Buffer>;
  readonly index: Buffer;
  /** Of each image's manifest. */
  readonly digests: readonly string[];
}

const HERE = process.arch === "x64" ? "amd64" : process.arch;

export function digest(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** As tools that build the same image from the same files write it: a layer that two images share is one, whatever the time. */
const MTIME = new Date(0);

export async function tarOf(entries: readonly LayerEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { data, ...header } of entries) {
    const type = header.type ?? (header.name.endsWith("/") ? "directory" : "file");
    const entry = { mode: 0o755, mtime: MTIME, ...header, type };
    if (type === "file") tar.entry(entry, data ?? "");
    else tar.entry(entry);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Builds images as tools do: gzipped layers, a configuration and a manifest each, one index. */
export async function buildLayout(images: readonly TestImage[]): Promise<Layout> {
  const blobs = new Map<string, Buffer>();
  const add = (bytes: Buffer, mediaType: string) => {
    blobs.set(digest(bytes), bytes);
    return { mediaType, digest: digest(bytes), size: bytes.length };
  };
  const manifests: object[] = [];
  const digests: string[] = [];
  for (const { layers, config = {}, architecture = HERE, tag } of images) {
    // oxlint-disable-next-line no-await-in-loop
    const tars = await Promise.all(layers.map((entries) => tarOf(entries)));
    const manifest = add(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          config: add(
            Buffer.from(
              JSON.stringify({
                os: "linux",
                architecture,
                config,
                rootfs: { type: "layers", diff_ids: tars.map(digest) },
              }),
            ),
            "application/vnd.oci.image.config.v1+json",
          ),
          layers: tars.map((tar) => add(gzipSync(tar), "application/vnd.oci.image.layer.v1.tar+gzip")),
        }),
      ),
      "application/vnd.oci.image.manifest.v1+json",
    );
    digests.push(manifest.digest);
    manifests.push({
      ...manifest,
      platform: { os: "linux", architecture },
      ...(tag === undefined ? {} : { annotations: { "org.opencontainers.image.ref.name": tag } }),
    });
  }
  return { blobs, index: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })), digests };
}

/** The layout's files, by path. */
export function layoutFiles({ blobs, index }: Layout): Map<string, Buffer> {
  const files = new Map([
    ["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ["index.json", index],
  ]);
  for (const [id, bytes] of blobs) files.set(`blobs/${id.replace(":", "/")}`, bytes);
  return files;
}

export function writeLayout(folder: string, layout: Layout): void {
  mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
  for (const [name, bytes] of layoutFiles(layout)) writeFileSync(join(folder, name), bytes);
}
