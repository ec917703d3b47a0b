import type * as client from "@aws-sdk/client-s3";
import type { Ids } from "#core/ids";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";

const DAY = 86_400_000;

/** From which objects come back only by being restored, which is not built. */
const ARCHIVES: ReadonlySet<string> = new Set(["GLACIER", "DEEP_ARCHIVE"]);
const TARGETS: ReadonlySet<string> = new Set([
  ...ARCHIVES,
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER_IR",
]);

/** Checks the rules of a lifecycle configuration, and gives those an id that have none. @throws AwsError */
export function readRules(
  rules: readonly client.LifecycleRule[] | undefined,
  ids: Ids,
): client.LifecycleRule[] {
  if (rules === undefined || rules.length === 0) throw s3Errors.malformedXml();
  if (rules.length > LIMITS.lifecycleRules)
    throw s3Errors.invalidRequest(
      "The number of lifecycle rules must not exceed the allowed limit of 1000 rules",
    );
  const seen = new Set<string>();
  return rules.map((rule) => {
    const ID = rule.ID ?? ids.uuid();
    if (ID.length > 255)
      throw s3Errors.invalidArgument("ID length should not exceed allowed limit of 255", "ID", ID);
    if (seen.has(ID))
      throw s3Errors.invalidArgument(
        "Rule ID must be unique. Found same ID for more than one rule",
        "ID",
        ID,
      );
    seen.add(ID);
    requireRule(rule);
    return { ...rule, ID };
  });
}

function requireRule(rule: client.LifecycleRule): void {
  if (rule.Status !== "Enabled" && rule.Status !== "Disabled") throw s3Errors.malformedXml();
  if ((rule.Filter === undefined) === (rule.Prefix === undefined)) throw s3Errors.malformedXml();
  if (rule.Filter !== undefined && Object.values(rule.Filter).filter((part) => part !== undefined).length > 1)
    throw s3Errors.malformedXml();
  const { Expiration, Transitions = [], NoncurrentVersionTransitions = [] } = rule;
  const { NoncurrentVersionExpiration, AbortIncompleteMultipartUpload } = rule;
  const actions = [Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload];
  if (
    actions.every((action) => action === undefined) &&
    Transitions.length + NoncurrentVersionTransitions.length === 0
  )
    throw s3Errors.invalidRequest("At least one action needs to be specified in a rule");
  if (Expiration !== undefined) requireExpiration(Expiration);
  for (const { Days, Date: date, StorageClass } of Transitions) {
    if ((Days === undefined) === (date === undefined)) throw s3Errors.malformedXml();
    requireMidnight(date);
    requireTarget(StorageClass);
  }
  for (const { NoncurrentDays, StorageClass } of NoncurrentVersionTransitions) {
    requirePositive(NoncurrentDays, "NoncurrentDays", "NoncurrentVersionTransition");
    requireTarget(StorageClass);
  }
  if (NoncurrentVersionExpiration !== undefined)
    requirePositive(
      NoncurrentVersionExpiration.NoncurrentDays,
      "NoncurrentDays",
      "NoncurrentVersionExpiration",
    );
  if (AbortIncompleteMultipartUpload !== undefined)
    requirePositive(
      AbortIncompleteMultipartUpload.DaysAfterInitiation,
      "DaysAfterInitiation",
      "AbortIncompleteMultipartUpload",
    );
}

function requireExpiration(expiration: client.LifecycleExpiration): void {
  const { Days, Date: date, ExpiredObjectDeleteMarker: marker } = expiration;
  if ([Days, date, marker].filter((part) => part !== undefined).length !== 1) throw s3Errors.malformedXml();
  if (Days !== undefined) requirePositive(Days, "Days", "Expiration");
  requireMidnight(date);
}

function requirePositive(days: number | undefined, name: string, action: string): void {
  if (days === undefined) throw s3Errors.malformedXml();
  if (days < 1)
    throw s3Errors.invalidArgument(
      `'${name}' for ${action} action must be a positive integer`,
      name,
      String(days),
    );
}

function requireMidnight(date: Date | undefined): void {
  if (date !== undefined && date.getTime() % DAY !== 0)
    throw s3Errors.invalidArgument("'Date' must be at midnight GMT", "Date", date.toISOString());
}

function requireTarget(storageClass: string | undefined): void {
  if (storageClass === undefined || !TARGETS.has(storageClass)) throw s3Errors.malformedXml();
  if (ARCHIVES.has(storageClass)) throw s3Errors.notBuilt(`A transition to ${storageClass}`);
}
