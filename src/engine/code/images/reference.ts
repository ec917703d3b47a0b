/** Where an image comes from, as ImageUri names it. */
export type ImageReference =
  | {
      readonly kind: "registry";
      /** With the port, where there is one. */
      readonly host: string;
      readonly repository: string;
      readonly tag: string;
      /** `sha256:…`; wins over the tag. */
      readonly digest: string | undefined;
    }
  | {
      readonly kind: "folder" | "archive";
      /** As written: relative to the operator's folder of images, or absolute and below it. */
      readonly path: string;
      /** Undefined where the layout or archive has one image alone. */
      readonly tag: string | undefined;
    };

/** The grammar of the distribution specification ("Pulling manifests"). */
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
export const DIGEST = /^sha256:[0-9a-f]{64}$/;

/**
 * Reads `host/name:tag`, `host/name@sha256:…`, `oci:<folder>[:tag]` or `oci-archive:<file>[:tag]` (`docker-archive:` is
 * the same). Undefined for anything else.
 */
export function parseImageUri(uri: string): ImageReference | undefined {
  const local = /^(oci|oci-archive|docker-archive):(.+)$/s.exec(uri);
  if (local !== null) return parseLocal(local[1] === "oci" ? "folder" : "archive", local[2] ?? "");
  const slash = uri.indexOf("/");
  const host = uri.slice(0, Math.max(0, slash));
  // Without a dot, a port or `localhost`, the first part is no host but a repository of somebody's default registry.
  if (!HOST.test(host) || !(/[.:]/.test(host) || host === "localhost")) return undefined;
  const [named, digest] = split(uri.slice(slash + 1), "@");
  const [repository, tag] = split(named, ":");
  if (uri.length > 1024 || !REPOSITORY.test(repository)) return undefined;
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  if (digest !== undefined && !DIGEST.test(digest)) return undefined;
  return { kind: "registry", host, repository, tag: tag ?? "latest", digest };
}

function parseLocal(kind: "folder" | "archive", text: string): ImageReference | undefined {
  const colon = text.lastIndexOf(":");
  const tag = colon > text.lastIndexOf("/") ? text.slice(colon + 1) : undefined;
  const path = tag === undefined ? text : text.slice(0, colon);
  if (path === "" || path.includes("\0") || path.length > 4096) return undefined;
  return tag === undefined || TAG.test(tag) ? { kind, path, tag } : undefined;
}

function split(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
