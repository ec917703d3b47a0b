import type { StandardUnit } from "@aws-sdk/client-cloudwatch-logs";
import type { DocumentKey, Documents } from "#storage/documents";
import type { LogGroupDocument, Scope } from "../store.ts";

export interface MetricTransformationRecord {
  readonly namespace: string;
  readonly name: string;
  /** A number, or a selector: `$.ms` of JSON, `$size` of columns. */
  readonly value: string;
  readonly defaultValue: number | undefined;
  /** Selectors by dimension name. */
  readonly dimensions: Readonly<Record<string, string>> | undefined;
  readonly unit: StandardUnit | undefined;
}

export interface MetricFilterDocument {
  readonly group: string;
  readonly name: string;
  readonly pattern: string;
  /** Epoch milliseconds; events that came before are not looked at. */
  readonly created: number;
  readonly transformations: readonly MetricTransformationRecord[];
}

export interface SubscriptionFilterDocument {
  readonly group: string;
  readonly name: string;
  readonly pattern: string;
  readonly created: number;
  readonly destinationArn: string;
  readonly roleArn: string | undefined;
  readonly distribution: "Random" | "ByLogStream";
}

/** How far the filters of one kind have come in a stream: the sequence of the next record. */
export interface CursorDocument {
  readonly next: number;
}

export type FilterKind = "metric" | "subscription";

type Parent = readonly [account: string, region: string, kind: string, group: string];

export const filterKeys = {
  metric: ({ account, region }: Scope, group: string): Parent => [
    account,
    region,
    "log-metric-filter",
    group,
  ],
  subscription: ({ account, region }: Scope, group: string): Parent => [
    account,
    region,
    "log-subscription-filter",
    group,
  ],
  cursors: ({ account, region }: Scope, group: string): Parent => [
    account,
    region,
    "log-filter-cursor",
    group,
  ],
  cursor: (scope: Scope, group: string, stream: string, kind: FilterKind): DocumentKey => [
    ...filterKeys.cursors(scope, group),
    stream,
    kind,
  ],
} as const;

/** Cursors of a stream: they go with it, in the same commit, because a new stream of its name begins anew. */
export function cursorKeys(scope: Scope, group: string, stream: string): readonly DocumentKey[] {
  return (["metric", "subscription"] as const).map((kind) => filterKeys.cursor(scope, group, stream, kind));
}

/** How many metric filters a group has. */
export function countMetricFilters(documents: Documents, scope: Scope, group: LogGroupDocument): number {
  return group.metricFilters ?? Array.from(documents.list(filterKeys.metric(scope, group.name))).length;
}

/** Where the platform notes which groups have filters: no account can be named so. */
const GROUPS = ["platform", "global", "log-filter-group"] as const;

/** Call before a group's first filter is written, so that `groupsWithFilters` finds it after a restart. */
export async function registerGroup(documents: Documents, scope: Scope, group: string): Promise<void> {
  const key: DocumentKey = [...GROUPS, scope.account, scope.region, group];
  if (documents.get(key) === undefined) await documents.commit([{ key, value: {} }]);
}

/** The groups that have, or had, filters. */
export function* groupsWithFilters(
  documents: Documents,
): Generator<{ readonly scope: Scope; readonly group: string }> {
  for (const { key } of documents.list(GROUPS))
    yield { scope: { account: String(key[3]), region: String(key[4]) }, group: String(key[5]) };
}
