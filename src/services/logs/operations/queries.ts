import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { logJournalStream, decodeLogRecord } from "#telemetry/log-record";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { QueryError } from "../insights/error.ts";
import { decodePointer, EventRow, STANDARD_FIELDS } from "../insights/event-row.ts";
import { MOST_RESULTS } from "../insights/parse.ts";
import { RunningQuery } from "../insights/run.ts";
import { toText } from "../insights/values.ts";
import { LIMITS } from "../limits.ts";
import type { Queries, StartedQuery } from "../queries.ts";
import { groupKey, groupOfIdentifier, type Scope } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

export function queryOperations({ documents, journal, clock }: LogsDeps, queries: Queries) {
  const StartQuery: Handler<Logs, "StartQuery"> = (input, call) => {
    const { queryString = "", queryLanguage = "CWLI", startTime = 0, endTime = 0 } = input;
    if (queryLanguage !== "CWLI") throw logsErrors.queryLanguage(queryLanguage);
    const groups = groupsOf(call, input);
    if (endTime < startTime) throw logsErrors.queryRange();
    for (const group of groups)
      if (documents.get(groupKey(call, group)) === undefined)
        throw logsErrors.queryGroupMissing(group, call.account);
    requireQuery(queryString, clock.now());
    const { account, region } = call;
    const { id } = queries.start({
      scope: { account, region },
      groups,
      text: queryString,
      limit: input.limit ?? MOST_RESULTS,
      // Seconds; the last one counts whole.
      from: startTime * 1000,
      to: endTime * 1000 + 999,
    });
    return { queryId: id };
  };

  const GetQueryResults: Handler<Logs, "GetQueryResults"> = (input, call) => {
    const query = requireQueryId(queries, call, input.queryId);
    const rows = query.outcome?.rows ?? [];
    const start = input.nextToken === undefined ? 0 : readPageToken(input.nextToken, ["number"] as const)[0];
    const end = start + (input.maxItems ?? MOST_RESULTS);
    return {
      queryLanguage: "CWLI",
      results: rows.slice(start, end).map((row) => row.map(({ field, value }) => ({ field, value }))),
      statistics: {
        recordsMatched: query.outcome?.matched ?? 0,
        recordsScanned: query.outcome?.scanned ?? 0,
        estimatedRecordsSkipped: 0,
        bytesScanned: query.outcome?.bytes ?? 0,
        estimatedBytesSkipped: 0,
        logGroupsScanned: query.request.groups.length,
      },
      status: query.status,
      ...(end < rows.length ? { nextToken: writePageToken([end]) } : {}),
    };
  };

  const StopQuery: Handler<Logs, "StopQuery"> = (input, call) => {
    const query = requireQueryId(queries, call, input.queryId);
    if (!queries.stop(query)) throw logsErrors.queryEnded();
    return { success: true };
  };

  const DescribeQueries: Handler<Logs, "DescribeQueries"> = (input, call) => {
    const { logGroupName, status, queryLanguage } = input;
    const found = queries
      .list(call)
      .filter(({ request }) => logGroupName === undefined || request.groups.includes(logGroupName))
      .filter((query) => status === undefined || query.status === status)
      .filter(() => queryLanguage === undefined || queryLanguage === "CWLI");
    const start = input.nextToken === undefined ? 0 : readPageToken(input.nextToken, ["number"] as const)[0];
    const end = start + (input.maxResults ?? LIMITS.describePage);
    return {
      queries: found.slice(start, end).map((query) => describe(query)),
      ...(end < found.length ? { nextToken: writePageToken([end]) } : {}),
    };
  };

  const ListLogGroupsForQuery: Handler<Logs, "ListLogGroupsForQuery"> = (input, call) => {
    const { groups } = requireQueryId(queries, call, input.queryId).request;
    const start = input.nextToken === undefined ? 0 : readPageToken(input.nextToken, ["number"] as const)[0];
    const end = start + (input.maxResults ?? LIMITS.describePage);
    return {
      logGroupIdentifiers: groups.slice(start, end),
      ...(end < groups.length ? { nextToken: writePageToken([end]) } : {}),
    };
  };

  const GetLogRecord: Handler<Logs, "GetLogRecord"> = async (input, call) => {
    const place = decodePointer(input.logRecordPointer ?? "");
    if (place === undefined || place.account !== call.account) throw logsErrors.pointer();
    const { account, group, stream, sequence } = place;
    const name = logJournalStream(account, call.region, group, stream);
    const [record] = await journal.read(name, { afterSequence: sequence - 1, limit: 1 });
    if (record?.sequence !== sequence) throw logsErrors.resourceMissing();
    const row = new EventRow(place, sequence, decodeLogRecord(record.body), new Date(clock.now()));
    return { logRecord: Object.fromEntries(fieldsOf(row)) };
  };

  return {
    StartQuery,
    GetQueryResults,
    StopQuery,
    DescribeQueries,
    ListLogGroupsForQuery,
    GetLogRecord,
  } satisfies OperationsOf<Logs>;
}

interface GroupChoice {
  readonly logGroupName?: string | undefined;
  readonly logGroupNames?: string[] | undefined;
  readonly logGroupIdentifiers?: string[] | undefined;
}

/** @throws AwsError InvalidParameterException where not just one of the members names groups */
function groupsOf(
  scope: Scope,
  { logGroupName, logGroupNames, logGroupIdentifiers }: GroupChoice,
): readonly string[] {
  const given = [
    logGroupName === undefined ? undefined : [logGroupName],
    logGroupNames,
    logGroupIdentifiers,
  ].filter((names) => names !== undefined && names.length > 0);
  const [names, ...more] = given;
  if (names === undefined || more.length > 0) throw logsErrors.queryGroups();
  if (names.length > LIMITS.queryGroups) throw logsErrors.queryGroupsTooMany(LIMITS.queryGroups);
  return [...new Set(names.map((name) => groupOfIdentifier(scope, name)))];
}

function requireQuery(text: string, now: number): void {
  try {
    // Made, not only read: functions, their arguments and regular expressions are checked then.
    void new RunningQuery(text, now);
  } catch (error) {
    if (error instanceof QueryError) throw logsErrors.malformedQuery(error.message, error.position);
    throw error;
  }
}

function requireQueryId(queries: Queries, scope: Scope, id = ""): StartedQuery {
  const query = queries.get(scope, id);
  if (query === undefined) throw logsErrors.queryMissing();
  return query;
}

/** A query as AWS shows it, with the groups and the time that it looks at (recorded: test_describe_queries). */
function describe({ id, request, created, status, outcome, endedAt }: StartedQuery): client.QueryInfo {
  const { groups, from, to, text } = request;
  const sources = groups.map((group) => `"${group}"`).join(", ");
  const [group] = groups;
  return {
    queryLanguage: "CWLI",
    queryId: id,
    queryString: `SOURCE ${sources} START=${from} END=${to} | ${text}`,
    status,
    createTime: created,
    ...(group === undefined ? {} : { logGroupName: group }),
    ...(outcome === undefined || endedAt === undefined
      ? {}
      : { queryDuration: endedAt - created, bytesScanned: outcome.bytes }),
  };
}

function* fieldsOf(row: EventRow): Generator<[string, string]> {
  for (const field of [...STANDARD_FIELDS, ...row.discovered()]) {
    const value = row.get(field);
    const text = value instanceof Date ? String(value.getTime()) : toText(value);
    if (text !== undefined) yield [field, text];
  }
}
