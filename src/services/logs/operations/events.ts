import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { Turns } from "#core/turns";
import { logJournalStream, encodeLogRecord } from "#telemetry/log-record";
import type { Handler, InputOf, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import type { EventRange, StoredEvent } from "../event-reader.ts";
import { readBackward, readForward } from "../event-reader.ts";
import { LIMITS } from "../limits.ts";
import { retainedFrom } from "../retention.ts";
import { groupOf, requireGroup, requireStream } from "../store.ts";
import type { StreamToken } from "../tokens.ts";
import { readStreamToken, sequenceToken, writeStreamToken } from "../tokens.ts";

type Logs = typeof client;

interface Event {
  readonly timestamp: number;
  readonly message: string;
}

export function eventOperations({ documents, journal, clock, ingestion }: LogsDeps) {
  /** One writer a stream at a time, so that lateness is noted before the events that need it. */
  const writers = new Turns();

  const PutLogEvents: Handler<Logs, "PutLogEvents"> = async (input, call) => {
    const [group, stream] = [input.logGroupName ?? "", input.logStreamName ?? ""];
    const events = readBatch(input);
    requireStream(documents, call, group, stream);
    const now = clock.now();
    const retained = retainedFrom(requireGroup(documents, call, group).value, now);
    const { accepted, rejected } = sift(events, now, retained);
    const name = logJournalStream(call.account, call.region, group, stream);
    const first = accepted[0];
    if (first !== undefined) {
      await writers.take(JSON.stringify(name), async () => {
        await ingestion.noteLateness(call, group, stream, first.timestamp);
        const records = accepted.map(({ timestamp, message }) => ({
          time: timestamp,
          body: encodeLogRecord(now, timestamp, message),
        }));
        await ingestion.append([{ stream: name, records }]);
      });
    }
    return {
      nextSequenceToken: sequenceToken(journal.info(name)?.nextSequence ?? 0),
      ...(rejected === undefined ? {} : { rejectedLogEventsInfo: rejected }),
    };
  };

  const GetLogEvents: Handler<Logs, "GetLogEvents"> = async (input, call) => {
    const group = groupOf(call, input);
    const stream = input.logStreamName ?? "";
    const token = input.nextToken === undefined ? undefined : readStreamToken(input.nextToken);
    const { value } = requireStream(documents, call, group, stream);
    const retained = retainedFrom(requireGroup(documents, call, group).value, clock.now());
    const range: EventRange = {
      from: Math.max(input.startTime ?? 0, retained),
      to: input.endTime ?? Number.MAX_SAFE_INTEGER,
      lateness: value.lateness ?? 0,
    };
    const name = logJournalStream(call.account, call.region, group, stream);
    const limit = Math.min(input.limit ?? LIMITS.pageEvents, LIMITS.pageEvents);
    const forward = token === undefined ? input.startFromHead === true : token.direction === "forward";
    const events = forward
      ? await page(readForward(journal, name, { ...range, ...(token && { after: token.position }) }), limit)
      : await page(
          readBackward(journal, name, { ...range, ...(token && { before: token.position }) }),
          limit,
        );
    if (!forward) events.reverse();
    const tokens = tokensRound(events, token, range.from);
    return {
      events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: writeStreamToken(tokens.forward),
      nextBackwardToken: writeStreamToken(tokens.backward),
    };
  };

  return { PutLogEvents, GetLogEvents } satisfies OperationsOf<Logs>;
}

/** Checks a batch as a whole. @throws AwsError InvalidParameterException */
function readBatch(input: InputOf<Logs, "PutLogEvents">): readonly Event[] {
  const events = (input.logEvents ?? []).map(({ timestamp = 0, message = "" }) => ({ timestamp, message }));
  let total = 0;
  let before = 0;
  for (const { timestamp, message } of events) {
    const bytes = Buffer.byteLength(message) + LIMITS.eventOverhead;
    if (bytes > LIMITS.eventBytes) throw logsErrors.eventTooLarge(bytes, LIMITS.eventBytes);
    if (timestamp < before) throw logsErrors.wrongOrder();
    before = timestamp;
    total += bytes;
  }
  if (total > LIMITS.batchBytes) throw logsErrors.batchTooLarge(total, LIMITS.batchBytes);
  if (before - (events[0]?.timestamp ?? before) > LIMITS.batchSpan) throw logsErrors.spanTooLong();
  return events;
}

/** Leaves out events that are too old, past the group's retention or too new; both end indexes are exclusive. */
function sift(events: readonly Event[], now: number, retained: number) {
  const tooOld = countBefore(events, now - LIMITS.tooOld);
  const expired = countBefore(events, retained);
  const tooNew = countBefore(events, now + LIMITS.tooNew + 1);
  const rejected = {
    ...(tooNew < events.length ? { tooNewLogEventStartIndex: tooNew } : {}),
    ...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
    ...(expired > 0 ? { expiredLogEventEndIndex: expired } : {}),
  };
  return {
    accepted: events.slice(Math.max(tooOld, expired), tooNew),
    rejected: Object.keys(rejected).length === 0 ? undefined : rejected,
  };
}

function countBefore(events: readonly Event[], time: number): number {
  const index = events.findIndex(({ timestamp }) => timestamp >= time);
  return index === -1 ? events.length : index;
}

/** Up to `limit` events, and no more bytes than a page holds. */
async function page(events: AsyncIterable<StoredEvent>, limit: number): Promise<StoredEvent[]> {
  const taken: StoredEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    bytes += Buffer.byteLength(event.message) + LIMITS.eventOverhead;
    if (bytes > LIMITS.pageBytes && taken.length > 0) break;
    taken.push(event);
    if (taken.length === limit) break;
  }
  return taken;
}

/**
 * The tokens on both sides of a page. At an end of the stream AWS gives back the token that was sent, so clients stop
 * when it does not change.
 */
function tokensRound(events: readonly StoredEvent[], token: StreamToken | undefined, from: number) {
  const [first, last] = [events[0], events.at(-1)];
  if (first !== undefined && last !== undefined)
    return {
      forward: { direction: "forward", position: last } as const,
      backward: { direction: "backward", position: first } as const,
    };
  const position = token?.position ?? { timestamp: from, sequence: -1 };
  const { timestamp, sequence } = position;
  // A forward token stands after its event and a backward one before: turning round must not skip that event.
  const turned = token?.direction === "forward" ? 1 : -1;
  const other = token === undefined ? position : { timestamp, sequence: Math.max(-1, sequence + turned) };
  return token?.direction === "backward"
    ? ({ forward: { direction: "forward", position: other }, backward: token } as const)
    : ({
        forward: { direction: "forward", position },
        backward: { direction: "backward", position: other },
      } as const);
}
