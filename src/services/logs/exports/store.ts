import type { ExportTaskStatusCode } from "@aws-sdk/client-cloudwatch-logs";
import type { Change, DocumentKey, Documents } from "#storage/documents";
import type { Scope } from "../store.ts";

export interface ExportTaskDocument {
  readonly id: string;
  readonly name?: string;
  readonly group: string;
  readonly streamPrefix?: string;
  /** Of timestamps, epoch milliseconds, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly bucket: string;
  readonly prefix: string;
  readonly created: number;
  readonly ended?: number;
  readonly status: ExportTaskStatusCode;
  readonly message?: string;
  /** The last stream that was exported whole: they are taken by name. */
  readonly doneStream?: string;
}

export const exportKeys = {
  tasks: ({ account, region }: Scope) => [account, region, "log-export-task"] as const,
  task: (scope: Scope, id: string): DocumentKey => [...exportKeys.tasks(scope), id],
  /** Says which task is under way: an account has one in a region. */
  active: ({ account, region }: Scope): DocumentKey => [account, region, "log-export-active"],
} as const;

/** Where the platform notes which accounts had exports: no account can be named so. */
const PLACES = ["platform", "global", "log-export-place"] as const;

/** Call before a task is written, so that `tasksUnderWay` finds it after a restart. */
export async function registerPlace(documents: Documents, { account, region }: Scope): Promise<void> {
  const key: DocumentKey = [...PLACES, account, region];
  if (documents.get(key) === undefined) await documents.commit([{ key, value: {} }]);
}

export function* tasksUnderWay(
  documents: Documents,
): Generator<{ readonly scope: Scope; readonly id: string }> {
  for (const { key } of documents.list(PLACES)) {
    const scope = { account: String(key[3]), region: String(key[4]) };
    const active = documents.get<{ readonly id: string }>(exportKeys.active(scope));
    if (active !== undefined) yield { scope, id: active.value.id };
  }
}

export function isUnderWay({ status }: ExportTaskDocument): boolean {
  return status === "PENDING" || status === "RUNNING";
}

/** Tasks that are kept; older ones that are over are forgotten. */
const KEPT = 1000;

/** What makes room for one more task. */
export function forgetOldest(documents: Documents, scope: Scope): readonly Change[] {
  const over = Array.from(documents.list<ExportTaskDocument>(exportKeys.tasks(scope))).filter(
    ({ value }) => !isUnderWay(value),
  );
  return over
    .toSorted((a, b) => a.value.created - b.value.created)
    .slice(0, Math.max(0, over.length - KEPT + 1))
    .map(({ key }) => ({ key, delete: true }));
}
