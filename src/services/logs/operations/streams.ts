import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { RevisionConflict } from "#storage/documents";
import { decodeLogRecord, logJournalStream } from "#telemetry/log-record";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { cursorKeys } from "../filters/store.ts";
import { LIMITS } from "../limits.ts";
import type { LogStreamDocument, Scope } from "../store.ts";
import {
  checkNameLength,
  groupArn,
  groupOf,
  requireGroup,
  requireStream,
  streamKey,
  withNamePrefix,
} from "../store.ts";
import { readPageToken, sequenceToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

/** How many streams are looked at before other work gets a turn. */
const TURN = 2000;

interface Ordered {
  readonly stream: LogStreamDocument;
  /** Last event's time; a stream without events stands at its creation. */
  readonly time: number;
}

export function streamOperations({ documents, journal, ingestion }: LogsDeps) {
  const CreateLogStream: Handler<Logs, "CreateLogStream"> = async (input, call) => {
    const [group, stream] = [input.logGroupName ?? "", input.logStreamName ?? ""];
    checkNameLength(group, stream);
    requireGroup(documents, call, group);
    if (documents.get(streamKey(call, group, stream)) !== undefined) throw logsErrors.streamExists();
    try {
      await documents.commit([await ingestion.newStream(call, group, stream)]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw logsErrors.streamExists();
      throw error;
    }
    return {};
  };

  const DeleteLogStream: Handler<Logs, "DeleteLogStream"> = async (input, call) => {
    const [group, stream] = [input.logGroupName ?? "", input.logStreamName ?? ""];
    const { key } = requireStream(documents, call, group, stream);
    const keys = [key, ...cursorKeys(call, group, stream)];
    await documents.commit(keys.map((gone) => ({ key: gone, delete: true })));
    await journal.remove(logJournalStream(call.account, call.region, group, stream));
    return {};
  };

  const DescribeLogStreams: Handler<Logs, "DescribeLogStreams"> = async (input, call) => {
    const group = groupOf(call, input);
    const byTime = input.orderBy === "LastEventTime";
    if (byTime && input.logStreamNamePrefix !== undefined) throw logsErrors.prefixAndOrder();
    requireGroup(documents, call, group);
    const limit = input.limit ?? LIMITS.describePage;
    const page = byTime
      ? await pageByTime(call, group, input.descending ?? false, input.nextToken, limit)
      : pageByName(call, group, input.logStreamNamePrefix, input.descending ?? false, input.nextToken, limit);
    return {
      logStreams: await Promise.all(page.streams.map((stream) => describe(call, group, stream))),
      ...(page.nextToken === undefined ? {} : { nextToken: page.nextToken }),
    };
  };

  function pageByName(
    scope: Scope,
    group: string,
    prefix: string | undefined,
    descending: boolean,
    token: string | undefined,
    limit: number,
  ) {
    const after = token === undefined ? undefined : readPageToken(token, ["string"] as const)[0];
    const parent = [scope.account, scope.region, "log-stream", group] as const;
    const streams: LogStreamDocument[] = [];
    if (descending) {
      const start = after === undefined ? {} : { after: streamKey(scope, group, after) };
      for (const { value } of documents.list<LogStreamDocument>(parent, { ...start, reverse: true })) {
        if (prefix !== undefined && !value.name.startsWith(prefix)) continue;
        if (streams.push(value) > limit) break;
      }
    } else {
      for (const { value } of withNamePrefix<LogStreamDocument>(documents, parent, prefix, after))
        if (streams.push(value) > limit) break;
    }
    const shown = streams.slice(0, limit);
    const nextToken = streams.length > limit ? writePageToken([shown.at(-1)?.name ?? ""]) : undefined;
    return { streams: shown, nextToken };
  }

  /** Looks at every stream of the group: the time of the last event is the journal's knowledge, not an index of ours. */
  async function pageByTime(
    scope: Scope,
    group: string,
    descending: boolean,
    token: string | undefined,
    limit: number,
  ) {
    const after = token === undefined ? undefined : readPageToken(token, ["number", "string"] as const);
    const sign = descending ? -1 : 1;
    const compare = (a: Ordered, b: Ordered) =>
      sign *
      (a.time - b.time || (a.stream.name < b.stream.name ? -1 : Number(a.stream.name > b.stream.name)));
    const found: Ordered[] = [];
    const start =
      after === undefined ? undefined : { stream: { name: after[1], creationTime: 0 }, time: after[0] };
    let looked: string | undefined;
    for (;;) {
      const parent = [scope.account, scope.region, "log-stream", group] as const;
      const from = looked === undefined ? {} : { after: streamKey(scope, group, looked) };
      const turn = [...documents.list<LogStreamDocument>(parent, { ...from, limit: TURN })];
      for (const { value: stream } of turn) {
        const last = journal.info(
          logJournalStream(scope.account, scope.region, group, stream.name),
        )?.lastTime;
        const entry = { stream, time: last ?? stream.creationTime };
        if (start === undefined || compare(entry, start) > 0) found.push(entry);
      }
      if (turn.length < TURN) break;
      looked = turn.at(-1)?.value.name;
      await nextTurn();
    }
    found.sort(compare);
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const nextToken =
      found.length > limit && last !== undefined ? writePageToken([last.time, last.stream.name]) : undefined;
    return { streams: shown.map(({ stream }) => stream), nextToken };
  }

  async function describe(scope: Scope, group: string, stream: LogStreamDocument) {
    const name = logJournalStream(scope.account, scope.region, group, stream.name);
    const info = journal.info(name);
    const last = (await journal.read(name, { reverse: true, limit: 1 }))[0];
    return {
      logStreamName: stream.name,
      creationTime: stream.creationTime,
      ...(info === undefined || last === undefined
        ? {}
        : {
            firstEventTimestamp: info.firstTime,
            lastEventTimestamp: info.lastTime,
            lastIngestionTime: decodeLogRecord(last.body).ingestionTime,
            uploadSequenceToken: sequenceToken(info.nextSequence),
          }),
      arn: `${groupArn(scope, group)}:log-stream:${stream.name}`,
      // Always 0 since 17 June 2019 (API reference, LogStream).
      storedBytes: 0,
    };
  }

  return { CreateLogStream, DeleteLogStream, DescribeLogStreams } satisfies OperationsOf<Logs>;
}
