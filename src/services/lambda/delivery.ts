import type * as S3Client from "@aws-sdk/client-s3";
import type * as SnsClient from "@aws-sdk/client-sns";
import type * as SqsClient from "@aws-sdk/client-sqs";
import { parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import type { AwsCaller, CallerIdentity, InputOf } from "#wire/operation";

/** Message attributes of SQS and SNS, which both write them so. */
export type TextAttributes = Readonly<
  Record<string, { readonly DataType: "String" | "Number"; readonly StringValue: string }>
>;

/** Sends what functions' events have come to to other services, as whoever is named. Rejects with their AwsErrors. */
export interface Delivery {
  toQueue(arn: string, text: string, by: CallerIdentity, attributes?: TextAttributes): Promise<void>;
  toTopic(arn: string, text: string, by: CallerIdentity, attributes?: TextAttributes): Promise<void>;
  toBucket(arn: string, key: string, body: Uint8Array, by: CallerIdentity): Promise<void>;
  /** Whether there is such a queue, topic or bucket; true where `by` may not know. */
  exists(arn: string, by: CallerIdentity): Promise<boolean>;
}

/** Errors that say that there is no such thing, of SQS, SNS and S3. */
const ABSENT: ReadonlySet<string> = new Set([
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "NotFound",
  "NotFoundException",
  "NoSuchBucket",
]);

export function createDelivery(caller: AwsCaller): Delivery {
  return {
    async toQueue(arn, text, by, attributes) {
      const input: InputOf<typeof SqsClient, "SendMessage"> = {
        QueueUrl: queueUrl(arn),
        MessageBody: text,
        ...(attributes === undefined ? {} : { MessageAttributes: attributes }),
      };
      await caller.call("sqs", "SendMessage", input, by);
    },

    async toTopic(arn, text, by, attributes) {
      const input: InputOf<typeof SnsClient, "Publish"> = {
        TopicArn: arn,
        Message: text,
        ...(attributes === undefined ? {} : { MessageAttributes: attributes }),
      };
      await caller.call("sns", "Publish", input, by);
    },

    async toBucket(arn, key, body, by) {
      const input: InputOf<typeof S3Client, "PutObject"> = {
        Bucket: bucketOf(arn),
        Key: key,
        Body: body,
        ContentLength: body.length,
      };
      await caller.call("s3", "PutObject", input, by);
    },

    async exists(arn, by) {
      try {
        switch (parseArn(arn)?.service) {
          case "sqs":
            await caller.call("sqs", "GetQueueAttributes", { QueueUrl: queueUrl(arn) }, by);
            return true;
          case "sns":
            await caller.call("sns", "GetTopicAttributes", { TopicArn: arn }, by);
            return true;
          case "s3":
            await caller.call("s3", "HeadBucket", { Bucket: bucketOf(arn) }, by);
            return true;
          default:
            return false;
        }
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        return !ABSENT.has(error.code);
      }
    },
  };
}

/** The address of a queue, of which SQS reads account and name. */
export function queueUrl(arn: string): string {
  const { region, account, resource } = parseArn(arn) ?? { region: "", account: "", resource: "" };
  return `https://sqs.${region}.amazonaws.com/${account}/${resource}`;
}

/** `arn:aws:s3:::bucket` */
function bucketOf(arn: string): string {
  return parseArn(arn)?.resource ?? "";
}
