import type { CloudWatchLogsClient, FilteredLogEvent } from "@aws-sdk/client-cloudwatch-logs";
import type { FunctionLimits } from "./limits.ts";
import { type LogEvent, type RequestLog, requestIdIn, requestsIn } from "./request.ts";

/** Where in the logs a request was found. */
export interface FoundRequest {
  readonly group: string;
  readonly stream: string;
  readonly request: RequestLog;
}

/** Epoch milliseconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A request's own lines that are read at most. */
const MOST_LINES = 10_000;

/** Events that are read at once: most requests log a few. */
const PAGE = 1000;

/** Log groups that are looked through at the same time. */
const PARALLEL = 4;

/** How long before a request its cold start may have begun: 130 seconds, or 15 minutes of Lambda's longest function. */
const INIT_MS = 15 * 60_000;

/** Finds a request by its id in the first of some log groups that knows it. */
export async function findRequest(
  client: CloudWatchLogsClient,
  groups: AsyncIterable<string> | Iterable<string>,
  requestId: string,
  range: Range,
): Promise<FoundRequest | undefined> {
  let waiting: string[] = [];
  const look = async (): Promise<FoundRequest | undefined> => {
    const found = await Promise.all(waiting.map((group) => inGroup(client, group, requestId, range)));
    waiting = [];
    return found.find((each) => each !== undefined);
  };
  for await (const group of groups) {
    waiting.push(group);
    if (waiting.length < PARALLEL) continue;
    const found = await look();
    if (found !== undefined) return found;
  }
  return look();
}

/** The log groups of all functions that keep theirs where Lambda puts it. */
export async function* functionGroups(client: CloudWatchLogsClient): AsyncGenerator<string> {
  const { paginateDescribeLogGroups } = await import("@aws-sdk/client-cloudwatch-logs");
  for await (const { logGroups = [] } of paginateDescribeLogGroups(
    { client },
    { logGroupNamePrefix: "/aws/lambda/" },
  ))
    for (const { logGroupName } of logGroups) if (logGroupName !== undefined) yield logGroupName;
}

async function inGroup(
  client: CloudWatchLogsClient,
  group: string,
  requestId: string,
  { from, to }: Range,
): Promise<FoundRequest | undefined> {
  const { paginateFilterLogEvents, ResourceNotFoundException } =
    await import("@aws-sdk/client-cloudwatch-logs");
  const asked = { logGroupName: group, filterPattern: `"${requestId}"`, startTime: from, endTime: to };
  const looked = new Set<string>();
  try {
    for await (const { events = [] } of paginateFilterLogEvents({ client }, asked))
      for (const { logStreamName, timestamp } of events) {
        if (logStreamName === undefined || timestamp === undefined || looked.has(logStreamName)) continue;
        looked.add(logStreamName);
        // Other functions may speak of it, too: only its own stream has its start.
        const found = await inStream(client, group, logStreamName, requestId, timestamp);
        if (found !== undefined) return found;
      }
  } catch (error) {
    if (!(error instanceof ResourceNotFoundException)) throw error;
  }
  return undefined;
}

/** A request whose first line, or one of them, is known. */
async function inStream(
  client: CloudWatchLogsClient,
  group: string,
  stream: string,
  requestId: string,
  time: number,
): Promise<FoundRequest | undefined> {
  const from = { group, stream, from: time };
  const lines: LogEvent[] = [];
  for await (const event of eventsOf(client, from)) {
    if (lines.length >= MOST_LINES) break;
    lines.push(event);
    if (isReport(event.message) && event.message.includes(requestId)) break;
  }
  let request = requestsIn(lines).find((each) => each.requestId === requestId);
  if (request === undefined) return undefined;
  if (hasInitBefore(request)) {
    const before: LogEvent[] = [];
    for await (const event of eventsOf(client, { ...from, from: time - INIT_MS })) {
      if (before.length >= MOST_LINES || event.time > time) break;
      before.push(event);
    }
    const whole = requestsIn([...before.filter((event) => event.time < time), ...lines]);
    request = whole.find((each) => each.requestId === requestId) ?? request;
  }
  return { group, stream, request };
}

/** Its init has its lines before START: that of its cold start, or one that failed in its stead, of which nothing else tells. */
function hasInitBefore({ report, failure }: RequestLog): boolean {
  return report?.initMs !== undefined || report?.restoreMs !== undefined || failure?.message === "";
}

function isReport(message: string): boolean {
  return message.startsWith("REPORT RequestId: ") || message.includes('"platform.report"');
}

async function* eventsOf(
  client: CloudWatchLogsClient,
  { group, stream, from }: { readonly group: string; readonly stream: string; readonly from: number },
): AsyncGenerator<LogEvent> {
  const { GetLogEventsCommand } = await import("@aws-sdk/client-cloudwatch-logs");
  let token: string | undefined;
  for (;;) {
    const { events = [], nextForwardToken } = await client.send(
      new GetLogEventsCommand({
        logGroupName: group,
        logStreamName: stream,
        startTime: Math.max(0, from),
        startFromHead: true,
        limit: PAGE,
        nextToken: token,
      }),
    );
    for (const { timestamp = 0, message = "" } of events) yield { time: timestamp, message };
    // "If you have reached the end of the stream, it returns the same token you passed in" (API reference, GetLogEvents).
    if (nextForwardToken === undefined || nextForwardToken === token) return;
    token = nextForwardToken;
  }
}

/** What runtimes and the platform log of failures, in any language and format; other lines may match as well. */
const FAILURES = [
  "errorType",
  '"Error Type:"',
  '"Status: timeout"',
  '"Task timed out"',
  '"Traceback (most recent call last)"',
  "Exception",
]
  .map((term) => `?${term}`)
  .join(" ");

/** How far back is looked for a failure, step by step: the last one is wanted, and a log is read from its beginning. */
const STEPS_MS = [5 * 60_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000];

/** Lines that look like a failure's, the last of each step, which are looked into. */
const CANDIDATES = 25;

/** The last request of a function that failed. */
export async function lastFailure(
  client: CloudWatchLogsClient,
  log: Pick<FunctionLimits, "group" | "owns">,
  { from, to }: Range,
): Promise<FoundRequest | undefined> {
  const starts = [...STEPS_MS.map((ms) => to - ms).filter((time) => time > from), from];
  const tried = new Set<string>();
  let until = to;
  for (const start of starts) {
    for (const candidate of await candidates(client, log, { from: start, to: until })) {
      const found = await requestOf(client, log.group, candidate, tried);
      if (found?.request.failure !== undefined) return found;
    }
    // A request that began in one step may have logged its end in another.
    until = start + 1;
  }
  return undefined;
}

async function candidates(
  client: CloudWatchLogsClient,
  { group, owns }: Pick<FunctionLimits, "group" | "owns">,
  { from, to }: Range,
): Promise<FilteredLogEvent[]> {
  const { paginateFilterLogEvents } = await import("@aws-sdk/client-cloudwatch-logs");
  let last: FilteredLogEvent[] = [];
  const asked = { logGroupName: group, filterPattern: FAILURES, startTime: from, endTime: to };
  for await (const { events = [] } of paginateFilterLogEvents({ client }, asked))
    last = [...last, ...events.filter(({ logStreamName = "" }) => owns(logStreamName))].slice(-CANDIDATES);
  return last.toReversed();
}

/** The request that logged a line, where it was not looked into before. */
async function requestOf(
  client: CloudWatchLogsClient,
  group: string,
  { logStreamName: stream, message = "", timestamp = 0 }: FilteredLogEvent,
  tried: Set<string>,
): Promise<FoundRequest | undefined> {
  if (stream === undefined) return undefined;
  const requestId = requestIdIn(message) ?? (await endAfter(client, { group, stream, from: timestamp }));
  if (requestId === undefined || tried.has(requestId)) return undefined;
  tried.add(requestId);
  return inGroup(client, group, requestId, { from: timestamp - INIT_MS, to: timestamp + INIT_MS });
}

/** The request that ends next in a stream: what runtimes log of errors need not name it. */
async function endAfter(
  client: CloudWatchLogsClient,
  from: Parameters<typeof eventsOf>[1],
): Promise<string | undefined> {
  let read = 0;
  for await (const { message } of eventsOf(client, from)) {
    if (isReport(message) || message.startsWith("END RequestId: ")) return requestIdIn(message);
    if (++read >= MOST_LINES) return undefined;
  }
  return undefined;
}
