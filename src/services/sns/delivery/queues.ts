import { createHash } from "node:crypto";
import type { QueueName } from "#storage/documents";
import type { Scope, TopicName } from "../arns.ts";

/** The queues that deliveries wait in, by their kind. */
export const KIND = {
  /** Messages of standard topics that have not yet been handed to their subscriptions: one queue a topic. */
  publish: "sns-publish",
  /** What goes to one subscription by itself, now or again: one queue a subscription. */
  delivery: "sns-delivery",
  /** Says that a lane of a FIFO topic holds something: one queue a lane. */
  lane: "sns-lane",
  /** What may be forgotten after a while: one queue an account and region. */
  cleanup: "sns-cleanup",
} as const;

export function publishQueue({ account, region, name }: TopicName): QueueName {
  return [account, region, KIND.publish, name];
}

export function deliveryQueue({ account, region }: Scope, subscriptionId: string): QueueName {
  return [account, region, KIND.delivery, subscriptionId];
}

export function laneQueue({ account, region }: Scope, subscriptionId: string, group: string): QueueName {
  return [account, region, KIND.lane, subscriptionId, group];
}

export function cleanupQueue({ account, region }: Scope): QueueName {
  return [account, region, KIND.cleanup];
}

/** Group ids have any punctuation, and up to 128 characters. */
export function groupHash(groupId: string): string {
  return createHash("sha256").update(groupId).digest("hex").slice(0, 32);
}
