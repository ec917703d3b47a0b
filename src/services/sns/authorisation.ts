import type { Tag } from "@aws-sdk/client-sns";
import { AwsError } from "#core/errors";
import { formatArn, parseArn } from "#core/arn";
import type { Documents } from "#storage/documents";
import { refusalText } from "#wire/authorisation/denials";
import { tagListKeys } from "#wire/authorisation/request-keys";
import type { Question, ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import { keys, type TopicDocument } from "./store.ts";
import { defaultPolicy } from "./topic/policy.ts";

interface Input {
  readonly TopicArn?: string | undefined;
  readonly TargetArn?: string | undefined;
  readonly PhoneNumber?: string | undefined;
  readonly SubscriptionArn?: string | undefined;
  readonly ResourceArn?: string | undefined;
  readonly PlatformApplicationArn?: string | undefined;
  readonly EndpointArn?: string | undefined;
  readonly Name?: string | undefined;
  readonly Protocol?: string | undefined;
  readonly Endpoint?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

const ON_TOPICS =
  "AddPermission ConfirmSubscription DeleteTopic GetTopicAttributes ListSubscriptionsByTopic RemovePermission " +
  "SetTopicAttributes Subscribe";
const ON_RESOURCES =
  "GetDataProtectionPolicy PutDataProtectionPolicy ListTagsForResource TagResource UntagResource";
const ON_SUBSCRIPTIONS = "GetSubscriptionAttributes SetSubscriptionAttributes Unsubscribe";
const ON_APPLICATIONS =
  "CreatePlatformEndpoint DeletePlatformApplication GetPlatformApplicationAttributes " +
  "ListEndpointsByPlatformApplication SetPlatformApplicationAttributes";
const ON_ENDPOINTS = "DeleteEndpoint GetEndpointAttributes SetEndpointAttributes";
const ON_ALL = "ListTopics ListSubscriptions";

/** What SNS's operations need permission for (Service Authorization Reference, "Amazon SNS"); its denials write `SNS:`. */
export function createSnsAuthorisation(documents: Documents): ServiceAuthorisation {
  const topicOf = (arn: string): TopicDocument | undefined => {
    const parsed = parseArn(arn);
    if (parsed === undefined) return undefined;
    return documents.get<TopicDocument>(keys.topic({ ...parsed, name: parsed.resource }))?.value;
  };
  return {
    prefix: "sns",
    denied: (refusal) => new AwsError("AuthorizationErrorException", refusalText(refusal), { status: 403 }),
    questions: {
      ...on(ON_TOPICS, ({ TopicArn }) => TopicArn),
      ...on(ON_RESOURCES, ({ ResourceArn }) => ResourceArn),
      ...on(ON_SUBSCRIPTIONS, ({ SubscriptionArn }) => SubscriptionArn?.replace(/:[^:]*$/, "")),
      ...on(ON_APPLICATIONS, ({ PlatformApplicationArn }) => PlatformApplicationArn),
      ...on(ON_ENDPOINTS, ({ EndpointArn }) => EndpointArn),
      ...on(ON_ALL, (_input, { region, account }) => formatArn("sns", region, account, "*")),
      CreateTopic: (input: Input, { region, account }: CallContext) =>
        ask("CreateTopic", formatArn("sns", region, account, input.Name ?? ""), input),
      Publish: (input: Input) =>
        ask("Publish", input.TopicArn ?? input.TargetArn ?? input.PhoneNumber, input),
      PublishBatch: (input: Input) => ask("Publish", input.TopicArn, input),
    },
    resourcePolicy(arn) {
      const topic = topicOf(arn);
      return topic && (topic.attributes["Policy"] || defaultPolicy(arn, parseArn(arn)?.account ?? ""));
    },
    resourceTags: (arn) => topicOf(arn)?.tags,
  };
}

function on(operations: string, resource: (input: Input, call: CallContext) => string | undefined) {
  return Object.fromEntries(
    operations
      .split(" ")
      .map((operation) => [
        operation,
        (input: Input, call: CallContext) => ask(operation, resource(input, call), input),
      ]),
  );
}

function ask(action: string, resource = "*", input: Input): readonly Question[] {
  const { Tags, TagKeys, Protocol, Endpoint } = input;
  return [
    {
      action: `SNS:${action}`,
      resource,
      keys: {
        ...tagListKeys(Tags),
        ...(TagKeys === undefined ? {} : { "aws:tagkeys": TagKeys }),
        "sns:protocol": Protocol,
        "sns:endpoint": Endpoint,
      },
    },
  ];
}
