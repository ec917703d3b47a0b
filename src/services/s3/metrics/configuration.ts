import type * as client from "@aws-sdk/client-s3";
import { s3Errors } from "../errors.ts";

/** Of one bucket (API reference, PutBucketMetricsConfiguration). */
export const MOST_CONFIGURATIONS = 1000;

export interface MetricsConfiguration {
  readonly Id: string;
  /** Of keys; absent where all requests are meant. */
  readonly Prefix?: string;
}

/** @throws AwsError MalformedXML, and NotImplemented for filters by tag and access point */
export function readConfiguration(
  given: client.MetricsConfiguration | undefined,
  id: string | undefined,
): MetricsConfiguration {
  const { Id, Filter } = given ?? {};
  if (Id === undefined || Id !== id || !/^[\w.-]{1,64}$/.test(Id)) throw s3Errors.malformedXml();
  if (Filter === undefined) return { Id };
  const { Prefix, Tag, AccessPointArn, And } = Filter;
  if (Tag !== undefined || AccessPointArn !== undefined || And !== undefined)
    throw s3Errors.notBuilt("A metrics filter by tag or access point");
  if (Prefix === undefined) throw s3Errors.malformedXml();
  return { Id, Prefix };
}

export function writeConfiguration({ Id, Prefix }: MetricsConfiguration): client.MetricsConfiguration {
  return Prefix === undefined ? { Id } : { Id, Filter: { Prefix } };
}
