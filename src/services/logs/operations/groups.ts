import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Change, DocumentKey } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { countMetricFilters, cursorKeys, filterKeys } from "../filters/store.ts";
import { LIMITS } from "../limits.ts";
import { policyKeys } from "../resource-policies.ts";
import type { LogGroupDocument, LogStreamDocument, Scope } from "../store.ts";
import {
  checkNameLength,
  groupArn,
  groupKey,
  groupOfIdentifier,
  requireGroup,
  usageKey,
  withNamePrefix,
} from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

/** How many documents one commit of a group's deletion holds, so that none blocks the others for long. */
const DELETE_CHUNK = 300;

/** @param onDeleted told of each group that was deleted with its filters */
export function groupOperations(
  { documents, journal, clock }: LogsDeps,
  onDeleted: (scope: Scope, group: string) => void = () => undefined,
) {
  const CreateLogGroup: Handler<Logs, "CreateLogGroup"> = async (input, call) => {
    const name = input.logGroupName ?? "";
    checkNameLength(name);
    const value: LogGroupDocument = {
      name,
      creationTime: clock.now(),
      class: input.logGroupClass ?? "STANDARD",
      tags: input.tags ?? {},
      ...(input.kmsKeyId === undefined ? {} : { kmsKeyId: input.kmsKeyId }),
      ...(input.deletionProtectionEnabled === true ? { deletionProtection: true } : {}),
    };
    try {
      await documents.commit([{ key: groupKey(call, name), value, expected: 0 }]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw logsErrors.groupExists();
      throw error;
    }
    return {};
  };

  /** Events go first: a crash half-way leaves a group without events, never a new group with the old one's. */
  const DeleteLogGroup: Handler<Logs, "DeleteLogGroup"> = async (input, call) => {
    const name = input.logGroupName ?? "";
    if (requireGroup(documents, call, name).value.deletionProtection === true) throw logsErrors.protected();
    const events = [call.account, call.region, "logs", name];
    await journal.remove(events);
    for (;;) {
      const streams = [
        ...documents.list<LogStreamDocument>([call.account, call.region, "log-stream", name], {
          limit: DELETE_CHUNK,
        }),
      ];
      const changes: Change[] = streams
        .flatMap(({ key, value }) => [key, ...cursorKeys(call, name, value.name)])
        .map((key) => ({ key, delete: true }));
      const last = streams.length < DELETE_CHUNK;
      if (last)
        for (const key of [
          groupKey(call, name),
          usageKey(call, name),
          policyKeys.ofGroup(call, name),
          ...filtersOf(call, name),
        ])
          changes.push({ key, delete: true });
      await documents.commit(changes);
      if (last) break;
    }
    onDeleted(call, name);
    await journal.remove(events);
    return {};
  };

  /** A group's filters go with it. */
  function* filtersOf(scope: Scope, name: string): Generator<DocumentKey> {
    for (const parent of [filterKeys.metric, filterKeys.subscription])
      for (const { key } of documents.list(parent(scope, name))) yield key;
  }

  const DescribeLogGroups: Handler<Logs, "DescribeLogGroups"> = (input, call) => {
    const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern } = input;
    if (prefix !== undefined && pattern !== undefined) throw logsErrors.prefixAndPattern();
    const wanted = input.logGroupIdentifiers?.map((identifier) => groupOfIdentifier(call, identifier));
    const limit = input.limit ?? LIMITS.describePage;
    const after =
      input.nextToken === undefined ? undefined : readPageToken(input.nextToken, ["string"] as const)[0];
    const parent = [call.account, call.region, "log-group"] as const;
    const page: LogGroupDocument[] = [];
    for (const { value } of withNamePrefix<LogGroupDocument>(documents, parent, prefix, after)) {
      if (pattern !== undefined && !value.name.includes(pattern)) continue;
      if (wanted !== undefined && !wanted.includes(value.name)) continue;
      if (input.logGroupClass !== undefined && value.class !== input.logGroupClass) continue;
      page.push(value);
      if (page.length > limit) break;
    }
    const more = page.length > limit;
    const shown = more ? page.slice(0, limit) : page;
    return {
      logGroups: shown.map((group) => describe(call, group)),
      ...(more ? { nextToken: writePageToken([shown.at(-1)?.name ?? ""]) } : {}),
    };
  };

  function describe(scope: Scope, group: LogGroupDocument) {
    const arn = groupArn(scope, group.name);
    const usage = documents.get<{ storedBytes: number }>(usageKey(scope, group.name));
    return {
      logGroupName: group.name,
      creationTime: group.creationTime,
      ...(group.retentionInDays === undefined ? {} : { retentionInDays: group.retentionInDays }),
      metricFilterCount: countMetricFilters(documents, scope, group),
      arn: `${arn}:*`,
      storedBytes: usage?.value.storedBytes ?? 0,
      ...(group.kmsKeyId === undefined ? {} : { kmsKeyId: group.kmsKeyId }),
      logGroupClass: group.class,
      logGroupArn: arn,
      deletionProtectionEnabled: group.deletionProtection ?? false,
    };
  }

  const PutLogGroupDeletionProtection: Handler<Logs, "PutLogGroupDeletionProtection"> = async (
    input,
    call,
  ) => {
    const key = groupKey(call, groupOfIdentifier(call, input.logGroupIdentifier ?? ""));
    await revise<LogGroupDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.groupMissing();
      return [{ key, value: { ...current.value, deletionProtection: input.deletionProtectionEnabled } }];
    });
    return {};
  };

  const PutRetentionPolicy: Handler<Logs, "PutRetentionPolicy"> = async (input, call) => {
    const days = input.retentionInDays ?? 0;
    const allowed: readonly number[] = LIMITS.retentionDays;
    if (!allowed.includes(days)) throw logsErrors.retention(days, allowed);
    const key = groupKey(call, input.logGroupName ?? "");
    await revise<LogGroupDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.groupMissing();
      return [{ key, value: { ...current.value, retentionInDays: days } }];
    });
    return {};
  };

  const DeleteRetentionPolicy: Handler<Logs, "DeleteRetentionPolicy"> = async (input, call) => {
    const key = groupKey(call, input.logGroupName ?? "");
    await revise<LogGroupDocument>(documents, key, (current) => {
      if (current === undefined) throw logsErrors.groupMissing();
      const { retentionInDays: _removed, ...value } = current.value;
      return [{ key, value }];
    });
    return {};
  };

  return {
    CreateLogGroup,
    DeleteLogGroup,
    DescribeLogGroups,
    PutLogGroupDeletionProtection,
    PutRetentionPolicy,
    DeleteRetentionPolicy,
  } satisfies OperationsOf<Logs>;
}
