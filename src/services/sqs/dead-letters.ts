import type { Change, Documents } from "#storage/documents";
import type { StoredAttributes } from "./attributes.ts";
import { sqsErrors } from "./errors.ts";
import { allowsSource, redrivePolicyOf } from "./redrive-policy.ts";
import { findByArn, keys, queueArn, type Place } from "./store.ts";
import { parseArn } from "#core/arn";

/**
 * Checks that the dead letter queue of a queue's attributes can be one.
 * @throws AwsError InvalidParameterValue
 */
export function checkDeadLetterQueue(
  documents: Documents,
  place: Place,
  name: string,
  fifo: boolean,
  attributes: StoredAttributes,
): void {
  const stored = attributes["RedrivePolicy"];
  const policy = redrivePolicyOf(stored);
  if (policy === undefined) return;
  const refuse = (reason: string): Error => sqsErrors.value(stored, "RedrivePolicy", reason);
  const arn = parseArn(policy.deadLetterTargetArn);
  if (arn?.region !== place.region || arn.account !== place.account)
    throw refuse("Dead letter target must be in the same account and region as the source.");
  const target = findByArn(documents, place.region, policy.deadLetterTargetArn);
  if (target === undefined) {
    // A queue may name itself, which is made in the same moment.
    if (policy.deadLetterTargetArn === queueArn(place, name)) return;
    throw refuse("Dead letter target does not exist.");
  }
  if (target.settings.fifo !== fifo)
    throw refuse("Dead-letter queue must be same type of queue as the source.");
  if (!allowsSource(target.settings.attributes["RedriveAllowPolicy"], queueArn(place, name)))
    throw refuse("Queue does not have permission to use the dead-letter queue specified.");
}

/** Keeps the list of a dead letter queue's sources as a queue's redrive policy changes. */
export function sourceChanges(
  { account, region }: Place,
  name: string,
  before: StoredAttributes,
  after: StoredAttributes,
): Change[] {
  const place = { account, region };
  const target = (attributes: StoredAttributes): string | undefined =>
    redrivePolicyOf(attributes["RedrivePolicy"])?.deadLetterTargetArn;
  const [old, next] = [target(before), target(after)];
  if (old === next) return [];
  const key = (arn: string) => keys.source(place, parseArn(arn)?.resource ?? "", name);
  return [
    ...(old === undefined ? [] : [{ key: key(old), delete: true } as const]),
    ...(next === undefined ? [] : [{ key: key(next), value: {} }]),
  ];
}
