/** A trace header, `X-Amzn-Trace-Id` (AWS X-Ray Developer Guide, "Tracing header"). */
export interface TraceHeader {
  /** A trace's id, such as `1-5759e988-bd862e3fe1be46a994272793`. */
  readonly root: string | undefined;
  /** The segment that the invocation belongs under, of 16 hexadecimal digits. */
  readonly parent: string | undefined;
  /** Whether the trace is recorded; undefined where that is left to whoever comes next. */
  readonly sampled: boolean | undefined;
  /** All else, `Lineage` among it, as it came. */
  readonly others: readonly string[];
}

const ROOT = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/;
const PARENT = /^[0-9a-f]{16}$/;
/** It goes on as an HTTP header and as an environment variable. */
const PRINTABLE = /^[\x20-\x7e]+$/;
const MOST_PARTS = 16;

/** A header that may go on as it came: nothing in it breaks an HTTP header, and it says whether its trace is recorded. */
const DECIDED = /^(?=[\x20-\x7e]*$)(?:.*;)?Sampled=[01](?:;|$)/;

/** Reads whatever a client sent: what is no trace id, segment id or decision counts as not there. The first of a name counts. */
export function parseTraceHeader(header: string): TraceHeader {
  let root: string | undefined;
  let parent: string | undefined;
  let sampled: boolean | undefined;
  const others: string[] = [];
  for (const piece of header.split(";", MOST_PARTS)) {
    const part = piece.trim();
    const value = part.slice(part.indexOf("=") + 1);
    switch (part.slice(0, part.length - value.length)) {
      case "Root=":
        if (ROOT.test(value)) root ??= value;
        break;
      case "Parent=":
        if (PARENT.test(value)) parent ??= value;
        break;
      case "Sampled=":
        // `?` asks whoever comes next to decide.
        if (value === "1" || value === "0") sampled ??= value === "1";
        break;
      default:
        if (PRINTABLE.test(part)) others.push(part);
    }
  }
  return { root, parent, sampled, others };
}

export function writeTraceHeader(
  root: string,
  parent: string | undefined,
  sampled: boolean,
  others: readonly string[] = [],
): string {
  const under = parent === undefined ? "" : `Parent=${parent};`;
  const header = `Root=${root};${under}Sampled=${sampled ? 1 : 0}`;
  return others.length === 0 ? header : `${header};${others.join(";")}`;
}

/**
 * The header for running an event again: its runs belong to one trace, under what its sender told, and are all recorded or
 * none. @param given the sender's header @param ran the one that the function was given before
 */
export function headerForRetry(given: string | undefined, ran: string): string {
  const before = parseTraceHeader(ran);
  if (before.root === undefined || before.sampled !== true) return ran;
  const { root, parent, others } = parseTraceHeader(given ?? "");
  return writeTraceHeader(before.root, root === undefined ? undefined : parent, true, others);
}

/** Whether a function may be given the header as its caller sent it. */
export function isDecided(header: string): boolean {
  return DECIDED.test(header);
}
