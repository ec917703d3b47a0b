/** The most bytes of a segment ("AWS X-Ray segment documents"); no datagram holds more, either. */
const MOST_BYTES = 64 * 1024;

/**
 * The document in a datagram to X-Ray's daemon: after one line of JSON that says `{"format":"json","version":1}`
 * (developer guide, "Sending segment documents to the X-Ray daemon"). Undefined where it is no such datagram; the document
 * itself is read by PutTraceSegments.
 */
export function documentIn(datagram: Buffer): string | undefined {
  const end = datagram.indexOf(0x0a);
  if (end < 0 || end > 256 || datagram.length > MOST_BYTES) return undefined;
  if (!isHeader(datagram.toString("utf8", 0, end))) return undefined;
  const document = datagram.toString("utf8", end + 1).trim();
  return document.startsWith("{") && document.endsWith("}") ? document : undefined;
}

function isHeader(line: string): boolean {
  try {
    const header = JSON.parse(line) as { readonly format?: unknown; readonly version?: unknown } | null;
    return header?.format === "json" && header.version === 1;
  } catch {
    return false;
  }
}
