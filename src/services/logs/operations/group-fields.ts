import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { decodeLogRecord, logJournalStream } from "#telemetry/log-record";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { EventRow, STANDARD_FIELDS } from "../insights/event-row.ts";
import { retainedFrom } from "../retention.ts";
import { groupOf, requireGroup, streamKey, type LogStreamDocument, type Scope } from "../store.ts";

type Logs = typeof client;

const MINUTE = 60_000;
/** Events that are looked at: of each stream the latest, until there are so many. */
const SAMPLE = 1000;
const SAMPLE_OF_STREAM = 100;
/** Streams that are looked at before other work gets a turn. */
const TURN = 500;

export function groupFieldOperations({ documents, journal, clock }: LogsDeps) {
  const GetLogGroupFields: Handler<Logs, "GetLogGroupFields"> = async (input, call) => {
    const group = groupOf(call, input);
    const { value } = requireGroup(documents, call, group);
    const now = clock.now();
    const [start, end] =
      input.time === undefined
        ? [now - 15 * MINUTE, now]
        : [input.time * 1000 - 8 * MINUTE, input.time * 1000 + 8 * MINUTE];
    const counts = new Map<string, number>();
    let events = 0;
    for await (const row of sample(call, group, Math.max(start, retainedFrom(value, now)), end)) {
      events++;
      for (const field of new Set([...STANDARD_FIELDS, ...row.discovered()]))
        counts.set(field, (counts.get(field) ?? 0) + 1);
    }
    const found = Array.from(counts, ([name, count]) => ({
      name,
      percent: Math.round((100 * count) / events),
    }));
    return {
      logGroupFields: found.toSorted((a, b) => b.percent - a.percent || (a.name < b.name ? -1 : 1)),
    };
  };

  /** Events of a group between two times (epoch ms, inclusive): all of them where they are few. */
  async function* sample(scope: Scope, group: string, from: number, to: number): AsyncGenerator<EventRow> {
    let taken = 0;
    let after: string | undefined;
    for (;;) {
      const parent = [scope.account, scope.region, "log-stream", group] as const;
      const options = after === undefined ? {} : { after: streamKey(scope, group, after) };
      const page = Array.from(documents.list<LogStreamDocument>(parent, { ...options, limit: TURN }));
      for (const { value: stream } of page) {
        const name = logJournalStream(scope.account, scope.region, group, stream.name);
        const info = journal.info(name);
        const until = to + (stream.lateness ?? 0) + 1;
        if (info?.lastTime === undefined || info.lastTime < from || (info.firstTime ?? 0) >= until) continue;
        const range = { from, to: until, reverse: true, limit: SAMPLE_OF_STREAM };
        for (const { body, sequence } of await journal.read(name, range)) {
          const event = decodeLogRecord(body);
          if (event.timestamp < from || event.timestamp > to) continue;
          const origin = { account: scope.account, group, stream: stream.name };
          yield new EventRow(origin, sequence, event, new Date(to));
          if (++taken === SAMPLE) return;
        }
      }
      if (page.length < TURN) return;
      after = page.at(-1)?.value.name;
      await nextTurn();
    }
  }

  return { GetLogGroupFields } satisfies OperationsOf<Logs>;
}
