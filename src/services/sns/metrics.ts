import type { MetricSink } from "#engine/contract";
import type { TopicName } from "./arns.ts";

type Counted =
  | "NumberOfMessagesPublished"
  | "NumberOfNotificationsDelivered"
  | "NumberOfNotificationsFailed"
  | "NumberOfNotificationsFilteredOut"
  | "NumberOfNotificationsRedrivenToDlq"
  | "NumberOfNotificationsFailedToRedriveToDlq";

/** A topic's metrics (developer guide, "Monitoring Amazon SNS topics using CloudWatch"). */
export interface SnsMetrics {
  count(topic: TopicName, name: Counted, value: number, now: number): void;
  /** @param bytes of one message */
  published(topic: TopicName, bytes: number, now: number): void;
}

export function createSnsMetrics(sink: MetricSink | undefined): SnsMetrics {
  function record(
    { account, region, name: topic }: TopicName,
    name: Counted | "PublishSize",
    value: number,
    now: number,
  ): void {
    const series = sink?.series({
      account,
      region,
      namespace: "AWS/SNS",
      name,
      unit: name === "PublishSize" ? "Bytes" : "Count",
      dimensions: { TopicName: topic },
    });
    series?.record(value, now);
    series?.close();
  }
  return {
    count: record,
    published(topic, bytes, now) {
      record(topic, "NumberOfMessagesPublished", 1, now);
      record(topic, "PublishSize", bytes, now);
    },
  };
}
