import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Handler, OperationsOf } from "#wire/operation";
import { compileEventFilter } from "../compile-filter.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import type { LiveTail } from "../live-tail/live-tail.ts";
import { groupOfIdentifier, requireGroup } from "../store.ts";

type Logs = typeof client;

export function liveTailOperations({ documents, ids }: LogsDeps, liveTail: LiveTail) {
  const StartLiveTail: Handler<Logs, "StartLiveTail"> = (input, call) => {
    const { logGroupIdentifiers = [], logStreamNames, logStreamNamePrefixes } = input;
    const { logEventFilterPattern = "" } = input;
    if (logStreamNames !== undefined && logStreamNamePrefixes !== undefined)
      throw logsErrors.tailNamesAndPrefixes();
    if ((logStreamNames ?? logStreamNamePrefixes) !== undefined && logGroupIdentifiers.length > 1)
      throw logsErrors.tailStreamsOfGroups();
    if (!logGroupIdentifiers.every((identifier) => identifier.startsWith("arn:")))
      throw logsErrors.tailGroupArn();
    const groups = logGroupIdentifiers.map((identifier) => groupOfIdentifier(call, identifier));
    for (const group of groups)
      if (requireGroup(documents, call, group).value.class !== "STANDARD") throw logsErrors.tailClass();
    const names = new Set(logStreamNames);
    const responseStream = liveTail.start({
      scope: call,
      groups,
      wantsStream: (stream) => {
        if (logStreamNames !== undefined) return names.has(stream);
        return logStreamNamePrefixes?.some((prefix) => stream.startsWith(prefix)) ?? true;
      },
      matches: compileEventFilter(logEventFilterPattern),
      start: {
        requestId: call.requestId,
        sessionId: ids.uuid(),
        logGroupIdentifiers,
        logStreamNames: logStreamNames ?? [],
        logStreamNamePrefixes: logStreamNamePrefixes ?? [],
        logEventFilterPattern,
      },
      signal: call.signal,
    });
    return { responseStream };
  };

  return { StartLiveTail } satisfies OperationsOf<Logs>;
}
