import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { logJournalStream } from "#telemetry/log-record";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import { compileEventFilter } from "../compile-filter.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { eventId } from "../event-id.ts";
import type { MergeSource, MergedEvent } from "../event-merge.ts";
import { mergeEvents } from "../event-merge.ts";
import { readForward } from "../event-reader.ts";
import { LIMITS } from "../limits.ts";
import { retainedFrom } from "../retention.ts";
import type { LogStreamDocument, Scope } from "../store.ts";
import { groupOf, requireGroup, requireStream, withNamePrefix } from "../store.ts";
import type { Position } from "../tokens.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

/** How much one call searches before it answers with what it found and a token, as AWS does with large groups. */
const SEARCH_BYTES = 16 << 20;

/** Events examined before other work gets a turn. */
const TURN = 1000;

interface Resume extends Position {
  readonly stream: string;
}

export function filterOperations({ documents, journal, clock }: LogsDeps) {
  const FilterLogEvents: Handler<Logs, "FilterLogEvents"> = async (input, call) => {
    const group = groupOf(call, input);
    if (input.logStreamNames !== undefined && input.logStreamNamePrefix !== undefined)
      throw logsErrors.prefixAndNames();
    const matches = compileEventFilter(input.filterPattern ?? "");
    const resume = input.nextToken === undefined ? undefined : readResume(input.nextToken);
    const { value } = requireGroup(documents, call, group);
    const from = Math.max(input.startTime ?? 0, retainedFrom(value, clock.now()), resume?.timestamp ?? 0);
    const to = input.endTime ?? Number.MAX_SAFE_INTEGER;
    const sources = streamsOf(call, group, input).flatMap((stream) =>
      source(call, group, stream, from, to, resume),
    );
    const limit = input.limit ?? LIMITS.pageEvents;
    const page: MergedEvent[] = [];
    let [pageBytes, searched, looked] = [0, 0, 0];
    let last: MergedEvent | undefined;
    let more = false;
    for await (const event of mergeEvents(sources)) {
      const bytes = Buffer.byteLength(event.message) + LIMITS.eventOverhead;
      const hit = matches(event.message);
      const full = page.length === limit || (hit && page.length > 0 && pageBytes + bytes > LIMITS.pageBytes);
      if (full || searched > SEARCH_BYTES) {
        more = true;
        break;
      }
      searched += bytes;
      last = event;
      if (hit) {
        page.push(event);
        pageBytes += bytes;
      }
      looked += 1;
      if (looked % TURN === 0) await nextTurn();
    }
    return {
      events: page.map((event) => ({
        logStreamName: event.stream,
        timestamp: event.timestamp,
        message: event.message,
        ingestionTime: event.ingestionTime,
        eventId: eventId(event),
      })),
      // No longer filled since 15 May 2020 (API reference, FilterLogEvents).
      searchedLogStreams: [],
      ...(more && last !== undefined
        ? { nextToken: writePageToken([last.timestamp, last.stream, last.sequence]) }
        : {}),
    };
  };

  function streamsOf(
    scope: Scope,
    group: string,
    input: InputOf<Logs, "FilterLogEvents">,
  ): readonly LogStreamDocument[] {
    if (input.logStreamNames !== undefined)
      return [...new Set(input.logStreamNames)].map(
        (name) => requireStream(documents, scope, group, name).value,
      );
    const parent = [scope.account, scope.region, "log-stream", group] as const;
    return Array.from(
      withNamePrefix<LogStreamDocument>(documents, parent, input.logStreamNamePrefix),
      ({ value }) => value,
    );
  }

  function source(
    scope: Scope,
    group: string,
    stream: LogStreamDocument,
    from: number,
    to: number,
    resume: Resume | undefined,
  ): readonly MergeSource[] {
    const name = logJournalStream(scope.account, scope.region, group, stream.name);
    const info = journal.info(name);
    const lateness = stream.lateness ?? 0;
    if (info?.firstTime === undefined || info.lastTime === undefined) return [];
    const earliest = Math.max(0, info.firstTime - lateness);
    if (earliest >= to || info.lastTime < from) return [];
    const after = resume === undefined ? {} : { after: startIn(stream.name, resume) };
    const open = () => readForward(journal, name, { from, to, lateness, ...after });
    return [{ stream: stream.name, earliest: Math.max(earliest, from), open }];
  }

  return { FilterLogEvents } satisfies OperationsOf<Logs>;
}

function readResume(token: string): Resume {
  const [timestamp, stream, sequence] = readPageToken(token, ["number", "string", "number"] as const);
  return { timestamp, stream, sequence };
}

/** Where to go on in a stream after the merge had reached `resume`: of one timestamp, lower names were done first. */
function startIn(stream: string, resume: Resume): Position {
  if (stream === resume.stream) return resume;
  return { timestamp: resume.timestamp, sequence: stream < resume.stream ? Number.MAX_SAFE_INTEGER : -1 };
}
