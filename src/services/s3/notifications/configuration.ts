import type * as client from "@aws-sdk/client-s3";
import { parseArn } from "#core/arn";
import type { Ids } from "#core/ids";
import { s3Errors } from "../errors.ts";

type Configuration = client.NotificationConfiguration;

/** A destination of a configuration, with the name that S3 has for its kind. */
export interface NamedDestination {
  readonly kind: "lambda" | "sqs" | "sns";
  readonly arn: string;
}

const EVENTS: ReadonlySet<string> = new Set([
  "s3:TestEvent",
  "s3:ObjectCreated:*",
  "s3:ObjectCreated:Put",
  "s3:ObjectCreated:Post",
  "s3:ObjectCreated:Copy",
  "s3:ObjectCreated:CompleteMultipartUpload",
  "s3:ObjectRemoved:*",
  "s3:ObjectRemoved:Delete",
  "s3:ObjectRemoved:DeleteMarkerCreated",
  "s3:ObjectRestore:*",
  "s3:ObjectRestore:Post",
  "s3:ObjectRestore:Completed",
  "s3:ObjectRestore:Delete",
  "s3:ReducedRedundancyLostObject",
  "s3:Replication:*",
  "s3:Replication:OperationFailedReplication",
  "s3:Replication:OperationNotTracked",
  "s3:Replication:OperationMissedThreshold",
  "s3:Replication:OperationReplicatedAfterThreshold",
  "s3:LifecycleTransition",
  "s3:LifecycleExpiration:*",
  "s3:LifecycleExpiration:Delete",
  "s3:LifecycleExpiration:DeleteMarkerCreated",
  "s3:IntelligentTiering",
  "s3:ObjectTagging:*",
  "s3:ObjectTagging:Put",
  "s3:ObjectTagging:Delete",
  "s3:ObjectAcl:Put",
]);

/** By which ArgumentName an ARN of each kind is refused, and the service that it must be of. */
const KINDS = {
  lambda: { argument: "CloudFunction", service: "lambda" },
  sqs: { argument: "Queue", service: "sqs" },
  sns: { argument: "Topic", service: "sns" },
} as const;

interface Rule {
  readonly Id?: string | undefined;
  readonly Events: readonly string[] | undefined;
  readonly Filter?: client.NotificationConfigurationFilter | undefined;
}

/**
 * Checks a configuration, and gives rules ids where they have none.
 * @throws AwsError InvalidArgument, MalformedXML
 */
export function readConfiguration(given: Configuration, region: string, ids: Ids): Configuration | undefined {
  const functions = (given.LambdaFunctionConfigurations ?? []).map((rule) =>
    readRule(rule, "lambda", rule.LambdaFunctionArn, region, ids),
  );
  const queues = (given.QueueConfigurations ?? []).map((rule) =>
    readRule(rule, "sqs", rule.QueueArn, region, ids),
  );
  const topics = (given.TopicConfigurations ?? []).map((rule) =>
    readRule(rule, "sns", rule.TopicArn, region, ids),
  );
  refuseOverlaps([...functions, ...queues, ...topics]);
  const bus = given.EventBridgeConfiguration;
  if (functions.length + queues.length + topics.length === 0 && bus === undefined) return undefined;
  return {
    ...(functions.length === 0 ? {} : { LambdaFunctionConfigurations: functions }),
    ...(queues.length === 0 ? {} : { QueueConfigurations: queues }),
    ...(topics.length === 0 ? {} : { TopicConfigurations: topics }),
    ...(bus === undefined ? {} : { EventBridgeConfiguration: {} }),
  };
}

/** Each destination once. */
export function destinationsOf(configuration: Configuration): NamedDestination[] {
  const all: NamedDestination[] = [
    ...(configuration.LambdaFunctionConfigurations ?? []).map(({ LambdaFunctionArn: arn = "" }) => ({
      kind: "lambda" as const,
      arn,
    })),
    ...(configuration.QueueConfigurations ?? []).map(({ QueueArn: arn = "" }) => ({
      kind: "sqs" as const,
      arn,
    })),
    ...(configuration.TopicConfigurations ?? []).map(({ TopicArn: arn = "" }) => ({
      kind: "sns" as const,
      arn,
    })),
  ];
  return [...new Map(all.map((each) => [each.arn, each])).values()];
}

function readRule<T extends Rule>(
  rule: T,
  kind: NamedDestination["kind"],
  arn: string | undefined,
  region: string,
  ids: Ids,
): T {
  const { argument, service } = KINDS[kind];
  const parsed = parseArn(arn ?? "");
  if (parsed === undefined) throw s3Errors.invalidArgument("The ARN could not be parsed", argument, arn);
  if (parsed.service !== service)
    throw s3Errors.invalidArgument("The ARN is not of a destination of this kind", argument, arn);
  if (parsed.region !== region)
    throw s3Errors.invalidArgument(
      "The notification destination service region is not valid for the bucket location constraint",
      argument,
      arn,
    );
  if (kind !== "lambda" && parsed.resource.endsWith(".fifo"))
    throw s3Errors.invalidArgument(
      kind === "sqs"
        ? "FIFO SQS queues are not supported. Use a standard queue."
        : "FIFO SNS topics are not supported. Use a standard topic.",
      argument,
      arn,
    );
  if (rule.Events === undefined || rule.Events.length === 0) throw s3Errors.malformedXml();
  for (const event of rule.Events)
    if (!EVENTS.has(event))
      throw s3Errors.invalidArgument("The event is not supported for notifications", "Event", event);
  const filter = readFilter(rule.Filter);
  return { ...rule, Id: rule.Id ?? ids.uuid(), ...(filter === undefined ? {} : { Filter: filter }) };
}

function readFilter(
  filter: client.NotificationConfigurationFilter | undefined,
): client.NotificationConfigurationFilter | undefined {
  const rules = filter?.Key?.FilterRules;
  if (rules === undefined) return filter;
  const seen = new Set<string>();
  const read = rules.map(({ Name = "", Value = "" }) => {
    const name = Name.toLowerCase();
    if (name !== "prefix" && name !== "suffix")
      throw s3Errors.invalidArgument(
        "filter rule name must be either prefix or suffix",
        "FilterRule.Name",
        Name,
      );
    if (seen.has(name))
      throw s3Errors.invalidArgument(
        `Cannot specify more than one ${name} rule in a filter.`,
        "FilterRule.Name",
        Name,
      );
    seen.add(name);
    if (Value.length > 1024)
      throw s3Errors.invalidArgument(
        "Size of filter rule value cannot exceed 1024 bytes",
        "FilterRule.Value",
        Value,
      );
    // Recorded: S3 answers them with a capital, however they came.
    return { Name: (name === "prefix" ? "Prefix" : "Suffix") as client.FilterRuleName, Value };
  });
  return { Key: { FilterRules: read } };
}

/** S3 takes no two rules by which one event would go out twice. @throws AwsError InvalidArgument */
function refuseOverlaps(rules: readonly Rule[]): void {
  for (const [index, rule] of rules.entries())
    for (const other of rules.slice(0, index))
      if (sharesEvent(rule, other) && filtersMeet(rule, other)) throw s3Errors.overlappingNotifications();
}

function sharesEvent({ Events: some = [] }: Rule, { Events: others = [] }: Rule): boolean {
  return some.some((one) => others.some((other) => covers(one, other) || covers(other, one)));
}

function covers(event: string, other: string): boolean {
  return event === other || (event.endsWith(":*") && other.startsWith(event.slice(0, -1)));
}

function filtersMeet(one: Rule, other: Rule): boolean {
  const [a, b] = [valuesOf(one), valuesOf(other)];
  const prefixes = a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix);
  return prefixes && (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix));
}

function valuesOf({ Filter }: Rule): { readonly prefix: string; readonly suffix: string } {
  const rules = Filter?.Key?.FilterRules ?? [];
  const value = (name: string): string => rules.find(({ Name }) => Name?.toLowerCase() === name)?.Value ?? "";
  return { prefix: value("prefix"), suffix: value("suffix") };
}
