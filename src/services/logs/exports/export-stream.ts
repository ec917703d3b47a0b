import { readBlock, type Journal, type RecordBlock } from "#storage/journal";
import { decodeLogRecord, logJournalStream } from "#telemetry/log-record";
import type { LogStreamDocument, Scope } from "../store.ts";
import { CompressedText } from "./compressed-text.ts";

interface StreamExport {
  readonly scope: Scope;
  readonly group: string;
  readonly stream: LogStreamDocument;
  /** Of timestamps, epoch milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
  /** Takes the next object. */
  readonly put: (body: Buffer) => Promise<void>;
}

/** Writes a stream's events to objects, in the order in which they came, holding no more than one object's bytes. */
export async function exportStream(journal: Journal, asked: StreamExport): Promise<void> {
  const { scope, group, stream, from, to, signal, put } = asked;
  const name = logJournalStream(scope.account, scope.region, group, stream.name);
  const until = to + (stream.lateness ?? 0) + 1;
  let object: CompressedText | undefined;
  try {
    for await (const block of journal.scan(name, { from, to: until })) {
      signal.throwIfAborted();
      const text = linesOf(block, from, to);
      if (text === "") continue;
      object ??= new CompressedText();
      await object.write(text);
      if (!object.full) continue;
      await put(await object.end());
      object = undefined;
    }
    if (object !== undefined) await put(await object.end());
  } finally {
    object?.destroy();
  }
}

/** Each event in a line, after its time, as AWS exports them. */
function linesOf(block: RecordBlock, from: number, to: number): string {
  let text = "";
  for (const { body } of readBlock(block)) {
    const { timestamp, message } = decodeLogRecord(body);
    if (timestamp < from || timestamp > to) continue;
    text += `${new Date(timestamp).toISOString()} ${message}${message.endsWith("\n") ? "" : "\n"}`;
  }
  return text;
}
