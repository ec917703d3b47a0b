import { createHash } from "node:crypto";
import type { Document, DocumentKey } from "#storage/documents";

/** Where a call acts. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export type Dimensions = readonly (readonly [name: string, value: string])[];

/** What CloudWatch calls a metric: dimensions are part of its identity. They are sorted by name. */
export interface Metric {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Dimensions;
}

/** A metric's document; its key has its names. Values are kept apart by unit. */
export interface MetricDocument {
  /** In the order in which they first came. */
  readonly units: readonly string[];
}

export interface KnownMetric extends Metric, MetricDocument {}

export function knownMetric({ key, value }: Document<MetricDocument>): KnownMetric {
  const [, , , namespace, name, dimensions] = key;
  return {
    namespace: String(namespace),
    name: String(name),
    dimensions: JSON.parse(String(dimensions)) as Dimensions,
    units: value.units,
  };
}

export function metricOf(
  namespace: string,
  name: string,
  dimensions: readonly { readonly Name?: string | undefined; readonly Value?: string | undefined }[] = [],
): Metric {
  return {
    namespace,
    name,
    dimensions: sortedDimensions(dimensions.map(({ Name = "", Value = "" }) => [Name, Value] as const)),
  };
}

export function sortedDimensions(dimensions: Dimensions): Dimensions {
  return dimensions.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Values of one metric in one unit, kept under 128 bits that follow from their names: nothing has to be looked up. */
export function seriesId({ namespace, name, dimensions }: Metric, unit: string): string {
  const text = JSON.stringify([namespace, name, unit, dimensions]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

export function metricsPrefix({ account, region }: Scope) {
  return [account, region, "metric"] as const;
}

export function metricKey(scope: Scope, { namespace, name, dimensions }: Metric): DocumentKey {
  return [...metricsPrefix(scope), namespace, name, JSON.stringify(dimensions)];
}
