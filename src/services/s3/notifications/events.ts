import { createHash } from "node:crypto";
import type { NotificationConfiguration, NotificationConfigurationFilter } from "@aws-sdk/client-s3";
import type { Clock } from "#core/clock";
import type { QueueAppend } from "#storage/documents";
import type { CallContext } from "#wire/operation";
import { Sequencer } from "../sequencer.ts";
import { type BucketDocument, bucketArn } from "../store.ts";

/** What happened to an object, without the `s3:` that configurations put before it. */
export type EventName =
  | "ObjectCreated:Put"
  | "ObjectCreated:Post"
  | "ObjectCreated:Copy"
  | "ObjectCreated:CompleteMultipartUpload"
  | "ObjectRemoved:Delete"
  | "ObjectRemoved:DeleteMarkerCreated"
  | "ObjectTagging:Put"
  | "ObjectTagging:Delete"
  | "ObjectAcl:Put"
  | "LifecycleExpiration:Delete"
  | "LifecycleExpiration:DeleteMarkerCreated";

export interface Happening {
  readonly name: EventName;
  readonly key: string;
  readonly size?: number;
  readonly etag?: string;
  /** Absent where the version is `null`. */
  readonly versionId?: string | undefined;
}

/** Who caused it. */
export type Cause = Pick<CallContext, "requestId" | "principal" | "headers" | "sourceIp">;

/** Where a notification goes. */
export type Destination =
  | { readonly kind: "lambda" | "sqs" | "sns"; readonly arn: string }
  | { readonly kind: "eventbridge" };

/** A notification on its way, as it lies in the queue. */
export interface Notification {
  readonly destination: Destination;
  /** The event's JSON: `{"Records":[…]}`, or the detail of an event of EventBridge. */
  readonly body: string;
  readonly detailType?: string;
  readonly bucketArn: string;
  /** Epoch milliseconds. */
  readonly happened: number;
  /** X-Amzn-Trace-Id of the request, which goes on with the event. */
  readonly trace?: string;
  /** How often it could not be delivered. */
  readonly failures: number;
}

interface Rule {
  readonly Id?: string | undefined;
  readonly Events: readonly string[] | undefined;
  readonly Filter?: NotificationConfigurationFilter | undefined;
}

/** Turns what happens in a bucket into the messages that its notification configuration asks for. */
export class EventLog {
  readonly #clock: Clock;
  readonly #sequencer: Sequencer;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sequencer = new Sequencer(clock);
  }

  /** Messages to append with the commit that makes it happen. */
  messages(bucket: BucketDocument, happening: Happening, cause: Cause): readonly QueueAppend[] {
    const { notification } = bucket.settings;
    if (notification === undefined) return [];
    const happened = this.#clock.now();
    const sequencer = this.#sequencer.next().toUpperCase().padStart(18, "0");
    const trace = cause.headers["x-amzn-trace-id"];
    const common = {
      bucketArn: bucketArn(bucket),
      happened,
      failures: 0,
      ...(trace === undefined ? {} : { trace }),
    };
    const messages: Notification[] = [];
    for (const { destination, rule } of rulesOf(notification))
      if (wants(rule, happening)) {
        const record = recordOf(bucket, happening, cause, {
          happened,
          sequencer,
          configuration: rule.Id ?? "",
        });
        messages.push({ ...common, destination, body: JSON.stringify({ Records: [record] }) });
      }
    if (notification.EventBridgeConfiguration !== undefined) {
      const { detailType, detail } = detailOf(bucket, happening, cause, sequencer);
      const destination = { kind: "eventbridge" } as const;
      messages.push({ ...common, destination, detailType, body: JSON.stringify(detail) });
    }
    const queue = queueOf(bucket);
    return messages.map((message) => ({ queue, body: Buffer.from(JSON.stringify(message)) }));
  }
}

export const QUEUE_KIND = "s3-notification";

/** A queue a bucket, so that one whose destinations fail holds no other up. */
export function queueOf({ account, region, id }: BucketDocument): QueueAppend["queue"] {
  return [account, region, QUEUE_KIND, id];
}

function* rulesOf(
  configuration: NotificationConfiguration,
): Generator<{ readonly destination: Destination; readonly rule: Rule }> {
  for (const rule of configuration.LambdaFunctionConfigurations ?? [])
    yield { destination: { kind: "lambda", arn: rule.LambdaFunctionArn ?? "" }, rule };
  for (const rule of configuration.QueueConfigurations ?? [])
    yield { destination: { kind: "sqs", arn: rule.QueueArn ?? "" }, rule };
  for (const rule of configuration.TopicConfigurations ?? [])
    yield { destination: { kind: "sns", arn: rule.TopicArn ?? "" }, rule };
}

function wants({ Events, Filter }: Rule, { name, key }: Happening): boolean {
  const type = `s3:${name}`;
  const kind = `${type.slice(0, type.lastIndexOf(":"))}:*`;
  if (Events?.some((event) => event === type || event === kind) !== true) return false;
  return (Filter?.Key?.FilterRules ?? []).every(({ Name, Value = "" }) =>
    Name?.toLowerCase() === "prefix" ? key.startsWith(Value) : key.endsWith(Value),
  );
}

/** Kinds whose records have a later version, and neither size nor sequencer (recorded). */
const LATER = /^Object(?:Acl|Tagging):/;

function recordOf(
  bucket: BucketDocument,
  { name, key, size, etag, versionId }: Happening,
  cause: Cause,
  of: { readonly happened: number; readonly sequencer: string; readonly configuration: string },
) {
  const later = LATER.test(name);
  return {
    eventVersion: later ? "2.3" : "2.1",
    eventSource: "aws:s3",
    awsRegion: bucket.region,
    eventTime: new Date(of.happened).toISOString(),
    eventName: name,
    userIdentity: { principalId: principalId(cause) },
    requestParameters: { sourceIPAddress: sourceOf(cause) },
    responseElements: {
      "x-amz-request-id": cause.requestId,
      "x-amz-id-2": createHash("sha384").update(cause.requestId).digest("base64"),
    },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: of.configuration,
      bucket: {
        name: bucket.name,
        ownerIdentity: { principalId: ownerPrincipal(bucket.account) },
        arn: bucketArn(bucket),
      },
      object: {
        key: formEncode(key),
        ...(size === undefined || later ? {} : { size }),
        ...(etag === undefined ? {} : { eTag: etag }),
        ...(versionId === undefined ? {} : { versionId }),
        ...(later ? {} : { sequencer: of.sequencer }),
      },
    },
  };
}

/** Keys of records are encoded as forms are: a space is a plus sign ("Event message structure"). */
function formEncode(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%2F", "/")
    .replaceAll("%20", "+")
    .replaceAll(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function principalId({ principal }: Cause): string {
  if (principal.kind === "anonymous") return "Anonymous";
  return principal.kind === "service" ? principal.service : `AWS:${principal.userId}`;
}

/** An opaque id of fourteen characters, as AWS's records have one. */
function ownerPrincipal(account: string): string {
  const digest = createHash("sha256").update(`s3 owner ${account}`).digest("hex");
  return `A${digest.slice(0, 13).toUpperCase()}`;
}

function sourceOf({ sourceIp, principal }: Cause): string {
  return sourceIp ?? (principal.kind === "service" ? principal.service : "127.0.0.1");
}

const REASONS: Readonly<Record<EventName, readonly [detailType: string, reason: string | undefined]>> = {
  "ObjectCreated:Put": ["Object Created", "PutObject"],
  "ObjectCreated:Post": ["Object Created", "POST Object"],
  "ObjectCreated:Copy": ["Object Created", "CopyObject"],
  "ObjectCreated:CompleteMultipartUpload": ["Object Created", "CompleteMultipartUpload"],
  "ObjectRemoved:Delete": ["Object Deleted", "DeleteObject"],
  "ObjectRemoved:DeleteMarkerCreated": ["Object Deleted", "DeleteObject"],
  "LifecycleExpiration:Delete": ["Object Deleted", "Lifecycle Expiration"],
  "LifecycleExpiration:DeleteMarkerCreated": ["Object Deleted", "Lifecycle Expiration"],
  "ObjectTagging:Put": ["Object Tags Added", undefined],
  "ObjectTagging:Delete": ["Object Tags Deleted", undefined],
  "ObjectAcl:Put": ["Object ACL Updated", undefined],
};

/** "EventBridge event message structure" (Amazon S3 User Guide). */
function detailOf(
  bucket: BucketDocument,
  { name, key, size, etag, versionId }: Happening,
  cause: Cause,
  sequencer: string,
) {
  const [detailType, reason] = REASONS[name];
  const deleted = detailType === "Object Deleted";
  const later = LATER.test(name);
  const detail = {
    version: "0",
    bucket: { name: bucket.name },
    object: {
      key,
      ...(size === undefined || later ? {} : { size }),
      ...(etag === undefined ? {} : { etag }),
      ...(versionId === undefined ? {} : { "version-id": versionId }),
      ...(later ? {} : { sequencer }),
    },
    "request-id": cause.requestId,
    requester: cause.principal.kind === "service" ? cause.principal.service : cause.principal.account,
    "source-ip-address": sourceOf(cause),
    ...(reason === undefined ? {} : { reason }),
    ...(deleted
      ? {
          "deletion-type": name.endsWith("MarkerCreated") ? "Delete Marker Created" : "Permanently Deleted",
        }
      : {}),
  };
  return { detailType, detail };
}
