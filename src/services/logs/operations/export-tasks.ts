import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { exportKeys, type ExportTaskDocument } from "../exports/store.ts";
import type { ExportTasks } from "../exports/tasks.ts";
import { LIMITS } from "../limits.ts";
import { requireGroup } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

export function exportTaskOperations({ documents, clock, ids }: LogsDeps, exports: ExportTasks) {
  const CreateExportTask: Handler<Logs, "CreateExportTask"> = async (input, call) => {
    const { logGroupName: group = "", from = 0, to = 0, destination: bucket = "" } = input;
    const { taskName: name, logStreamNamePrefix: streamPrefix } = input;
    const { creationTime } = requireGroup(documents, call, group).value;
    if (from > to || to < creationTime) throw logsErrors.exportRange();
    const id = ids.uuid();
    await exports.begin(call, {
      id,
      ...(name === undefined ? {} : { name }),
      group,
      ...(streamPrefix === undefined ? {} : { streamPrefix }),
      from,
      to,
      bucket,
      prefix: input.destinationPrefix ?? "exportedlogs",
      created: clock.now(),
      status: "PENDING",
    });
    return { taskId: id };
  };

  const CancelExportTask: Handler<Logs, "CancelExportTask"> = async (input, call) => {
    await exports.cancel(call, input.taskId ?? "");
    return {};
  };

  const DescribeExportTasks: Handler<Logs, "DescribeExportTasks"> = (input, call) => {
    const { taskId, statusCode, limit = LIMITS.describePage } = input;
    const after =
      input.nextToken === undefined ? undefined : readPageToken(input.nextToken, ["string"] as const)[0];
    const parent = exportKeys.tasks(call);
    const page: ExportTaskDocument[] = [];
    const options = after === undefined ? {} : { after: exportKeys.task(call, after) };
    for (const { value } of documents.list<ExportTaskDocument>(parent, options)) {
      if (taskId !== undefined && value.id !== taskId) continue;
      if (statusCode !== undefined && value.status !== statusCode) continue;
      if (page.push(value) > limit) break;
    }
    const shown = page.slice(0, limit);
    return {
      exportTasks: shown.map((task) => describe(task)),
      ...(page.length > limit ? { nextToken: writePageToken([shown.at(-1)?.id ?? ""]) } : {}),
    };
  };

  return { CreateExportTask, CancelExportTask, DescribeExportTasks } satisfies OperationsOf<Logs>;
}

function describe(task: ExportTaskDocument): client.ExportTask {
  const { id, name, group, from, to, bucket, prefix, created, ended, status, message } = task;
  return {
    taskId: id,
    ...(name === undefined ? {} : { taskName: name }),
    logGroupName: group,
    from,
    to,
    destination: bucket,
    destinationPrefix: prefix,
    status: { code: status, ...(message === undefined ? {} : { message }) },
    executionInfo: { creationTime: created, ...(ended === undefined ? {} : { completionTime: ended }) },
  };
}
