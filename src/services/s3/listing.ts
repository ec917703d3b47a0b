import type { Document, DocumentKey, Documents } from "#storage/documents";

/** What a list shows: an entry, or a prefix that stands for all keys which share it up to the delimiter. */
export type Listed<T> =
  | { readonly kind: "entry"; readonly key: string; readonly document: Document<T> }
  | { readonly kind: "prefix"; readonly prefix: string };

export interface ListQuery {
  readonly prefix: string;
  /** Empty where nothing is grouped. */
  readonly delimiter: string;
  /** Only keys after this one, and after the group that it is in; empty for all. */
  readonly after: string;
}

/** The greatest character. */
const LAST = "\u{10FFFF}";

/**
 * Entries under `parent`, whose next key element is the object's key, in the order of their keys' UTF-8 bytes, with common
 * prefixes. What a common prefix stands for is stepped over and not read, so a page costs what it shows, however many
 * keys there are. Iterate at once, as with `Documents.list`.
 */
export function* listKeys<T>(
  documents: Documents,
  parent: DocumentKey,
  query: ListQuery,
): Generator<Listed<T>> {
  const { prefix, after } = query;
  const behind = after === "" ? undefined : behindKey(parent, after, query);
  let start = behind;
  if (behind === undefined || compareKeys(after, prefix) < 0) {
    start = [...parent, prefix];
    const exact = documents.get<T>(start);
    if (exact !== undefined) yield { kind: "entry", key: prefix, document: exact };
  }
  while (start !== undefined) {
    let next: DocumentKey | undefined;
    for (const document of documents.list<T>(parent, { after: start })) {
      const key = String(document.key[parent.length]);
      if (!key.startsWith(prefix)) return;
      const group = groupOf(key, query);
      if (group === undefined) {
        yield { kind: "entry", key, document };
        continue;
      }
      yield { kind: "prefix", prefix: group };
      next = behindGroup(parent, group);
      break;
    }
    start = next;
  }
}

/** The common prefix that a key belongs to: up to and with the first delimiter after the list's own prefix. */
export function groupOf(
  key: string,
  { prefix, delimiter }: Pick<ListQuery, "prefix" | "delimiter">,
): string | undefined {
  if (delimiter === "" || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** After all documents of a key (numbers, and strings of honest characters), and of the group that it is in (recorded). */
function behindKey(parent: DocumentKey, key: string, query: ListQuery): DocumentKey {
  const group = groupOf(key, query);
  return group === undefined ? [...parent, key, LAST] : behindGroup(parent, group);
}

/** Keys are at most 1,024 bytes long, so none of the group's comes after this. */
function behindGroup(parent: DocumentKey, group: string): DocumentKey {
  return [...parent, group + LAST.repeat(257)];
}

/** As UTF-8 orders them, which differs from how JavaScript does. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Percent-encodes a key, prefix or marker where `encoding-type=url` asks for it: slashes stay. */
export function encoder(encodingType: string | undefined): (text: string) => string {
  if (encodingType !== "url") return (text) => text;
  return (text) =>
    encodeURIComponent(text)
      .replaceAll("%2F", "/")
      .replaceAll("%20", "+")
      .replaceAll(/[!'()~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
