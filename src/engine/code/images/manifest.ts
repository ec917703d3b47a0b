import { BadImage } from "./errors.ts";
import { DIGEST } from "./reference.ts";

/** A blob as manifests name it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface ImageManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** An entry of an index, or of a manifest list. */
export interface IndexEntry extends Descriptor {
  readonly os: string | undefined;
  readonly architecture: string | undefined;
  /** `org.opencontainers.image.ref.name`: the tag, in a layout. */
  readonly name: string | undefined;
}

/** What a configuration says of how an image runs. */
export interface ImageConfig {
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly entryPoint: readonly string[];
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  /** The digest of each layer's tar, uncompressed. */
  readonly diffIds: readonly string[];
}

/** Documents of images are small; what is larger is an attack. */
export const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
/** As many as container engines take. */
const MAX_LAYERS = 127;
/** AWS Lambda Developer Guide, "Lambda quotas": container image code package size. */
export const MAX_IMAGE_BYTES = 10 * 1024 ** 3;

export const MEDIA_TYPES = {
  manifests: [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
  ],
  indexes: [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
  ],
} as const;

export const ARCHITECTURES = { x86_64: "amd64", arm64: "arm64" } as const;

export type Document =
  | { readonly kind: "manifest"; readonly manifest: ImageManifest }
  | { readonly kind: "index"; readonly entries: readonly IndexEntry[] };

/** @throws BadImage */
export function parseDocument(bytes: Uint8Array): Document {
  const document = json(bytes);
  if (document["schemaVersion"] !== 2) throw new BadImage("unsupported", "not a manifest of version 2");
  if (Array.isArray(document["manifests"]))
    return { kind: "index", entries: document["manifests"].map(indexEntry) };
  const layers = list(document["layers"]).map(descriptor);
  if (layers.length === 0 || layers.length > MAX_LAYERS)
    throw new BadImage("broken", `${layers.length} layers`);
  if (layers.reduce((sum, { size }) => sum + size, 0) > MAX_IMAGE_BYTES)
    throw new BadImage("too-large", "more than 10 GB");
  return { kind: "manifest", manifest: { config: descriptor(document["config"]), layers } };
}

/** The entry for an architecture of Lambda's; where a name is given, of those that have it. */
export function chooseEntry(
  entries: readonly IndexEntry[],
  architecture: keyof typeof ARCHITECTURES,
  name?: string,
): IndexEntry | undefined {
  const named = name === undefined ? entries : entries.filter((entry) => fitsName(entry, name));
  const linux = named.filter((entry) => entry.os === undefined || entry.os === "linux");
  return (
    linux.find((entry) => entry.architecture === ARCHITECTURES[architecture]) ??
    // One that names no platform is looked into; one for another platform is told where it is run.
    linux.find((entry) => entry.architecture === undefined) ??
    (linux.length === 1 ? linux[0] : undefined)
  );
}

/** Tools write the tag alone, or the image's whole name. */
function fitsName({ name }: IndexEntry, wanted: string): boolean {
  return name === wanted || name?.endsWith(`:${wanted}`) === true;
}

/** @throws BadImage */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const document = json(bytes);
  if (document["os"] !== undefined && document["os"] !== "linux")
    throw new BadImage("unsupported", "not for Linux");
  const run = record(document["config"] ?? {});
  const diffIds = strings(record(document["rootfs"])["diff_ids"]);
  if (!diffIds.every((id) => DIGEST.test(id))) throw new BadImage("broken", "a layer's digest");
  return {
    architecture: text(document["architecture"]) ?? "",
    entryPoint: strings(run["Entrypoint"]),
    command: strings(run["Cmd"]),
    environment: strings(run["Env"]),
    workingDirectory: typeof run["WorkingDir"] === "string" ? run["WorkingDir"] : "",
    diffIds,
  };
}

/** @throws BadImage */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new BadImage("broken", "a document that is not JSON");
  }
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new BadImage("broken", "a document of another form");
  return value as Readonly<Record<string, unknown>>;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new BadImage("broken", "a document of another form");
  return value;
}

export function strings(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  return list(value).map((each) => {
    if (typeof each !== "string" || each.includes("\0")) throw new BadImage("broken", "not a text");
    return each;
  });
}

function json(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  return record(parseJson(bytes));
}

function descriptor(value: unknown): Descriptor {
  const { mediaType, digest, size } = record(value);
  if (typeof digest !== "string" || !DIGEST.test(digest)) throw new BadImage("broken", "a blob's digest");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw new BadImage("broken", "a blob's size");
  return { mediaType: typeof mediaType === "string" ? mediaType : "", digest, size };
}

function indexEntry(value: unknown): IndexEntry {
  const { platform, annotations } = record(value);
  const { os, architecture } = record(platform ?? {});
  const name = record(annotations ?? {})["org.opencontainers.image.ref.name"];
  return { ...descriptor(value), os: text(os), architecture: text(architecture), name: text(name) };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
