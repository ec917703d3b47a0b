import { AwsError } from "#core/errors";
import { requestTagKeys } from "#wire/authorisation/request-keys";
import { each } from "#wire/authorisation/table";
import { refusalText } from "#wire/authorisation/denials";
import type { Question, ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import type { Documents } from "#storage/documents";
import { ResourcePolicies } from "./resource-policies.ts";
import { groupArn, groupKey, type LogGroupDocument } from "./store.ts";

interface Named {
  readonly logGroupName?: string | undefined;
  readonly logGroupIdentifier?: string | undefined;
  readonly resourceIdentifier?: string | undefined;
  readonly logStreamName?: string | undefined;
  readonly logGroupNamePrefix?: string | undefined;
  readonly resourceArn?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly tagKeys?: readonly string[] | undefined;
}

interface Subscription extends Named {
  readonly destinationArn?: string | undefined;
  readonly roleArn?: string | undefined;
}

interface Queried extends Named {
  readonly logGroupNames?: readonly string[] | undefined;
  readonly logGroupIdentifiers?: readonly string[] | undefined;
}

type Tailed = Pick<Queried, "logGroupIdentifiers">;

/** The others (queries that run, their definitions, tests of patterns) are asked about on `*`, under their own names. */
const ON_GROUPS = [
  "AssociateKmsKey",
  "CreateExportTask",
  "CreateLogStream",
  "DeleteLogGroup",
  "DeleteMetricFilter",
  "DeleteRetentionPolicy",
  "DeleteSubscriptionFilter",
  "DescribeLogGroups",
  "DescribeLogStreams",
  "DescribeMetricFilters",
  "DescribeSubscriptionFilters",
  "DisassociateKmsKey",
  "FilterLogEvents",
  "GetLogGroupFields",
  "ListTagsLogGroup",
  "PutLogGroupDeletionProtection",
  "PutMetricFilter",
  "PutRetentionPolicy",
];
const ON_STREAMS = ["DeleteLogStream", "GetLogEvents", "PutLogEvents"];

/** What CloudWatch Logs' operations need permission for (Service Authorization Reference, "Amazon CloudWatch Logs"). */
export function createLogsAuthorisation(documents: Documents): ServiceAuthorisation {
  const policies = new ResourcePolicies(documents);
  return {
    prefix: "logs",
    // Services of the JSON protocol answer denials with status 400.
    denied: (refusal) => new AwsError("AccessDeniedException", refusalText(refusal)),
    questions: {
      ...each("logs", ON_GROUPS, groupResource),
      ...each("logs", ["CreateLogGroup", "TagLogGroup"], (input: Named, call) => ({
        resource: groupResource(input, call),
        keys: requestTagKeys(input.tags),
      })),
      ...each("logs", ["UntagLogGroup"], (input: Named & { readonly tags?: never }, call) => ({
        resource: groupResource(input, call),
      })),
      ...each(
        "logs",
        ON_STREAMS,
        (input: Named, call) => `${groupResource(input, call)}${input.logStreamName ?? ""}`,
      ),
      ...each("logs", ["TagResource"], ({ resourceArn, tags }: Named) => ({
        resource: resourceArn ?? "*",
        keys: requestTagKeys(tags),
      })),
      ...each("logs", ["UntagResource"], ({ resourceArn, tagKeys }: Named) => ({
        resource: resourceArn ?? "*",
        keys: { "aws:tagkeys": tagKeys },
      })),
      ...each("logs", ["ListTagsForResource"], ({ resourceArn }: Named) => resourceArn ?? "*"),
      StartQuery: startQueryQuestions,
      StartLiveTail: ({ logGroupIdentifiers = [] }: Tailed, call: CallContext) =>
        logGroupIdentifiers.map((logGroupIdentifier) => ({
          action: "logs:StartLiveTail",
          resource: groupResource({ logGroupIdentifier }, call),
        })),
      PutSubscriptionFilter: (input: Subscription, call: CallContext) => [
        {
          action: "logs:PutSubscriptionFilter",
          resource: groupResource(input, call),
          keys: { "logs:destinationarn": input.destinationArn },
        },
        // CloudWatch Logs acts as that role: whoever hands it over must be let.
        ...(input.roleArn === undefined
          ? []
          : [
              {
                action: "iam:PassRole",
                resource: input.roleArn,
                keys: { "iam:passedtoservice": "logs.amazonaws.com" },
              },
            ]),
      ],
    },
    resourcePolicy(arn, principal) {
      // They are for services: others need their own policies (API reference of PutResourcePolicy).
      if (principal?.kind !== "service") return undefined;
      const [, , , region = "", account = "", , group = ""] = arn.split(":");
      return policies.of({ account, region }, group);
    },
    resourceTags(arn) {
      const [, , , region = "", account = "", , name = ""] = arn.split(":");
      return documents.get<LogGroupDocument>(groupKey({ account, region }, name))?.value.tags;
    },
  };
}

/** A query needs permission for every group that it reads; one that names none is asked about on all. */
function startQueryQuestions(input: Queried, call: CallContext): readonly Question[] {
  const { logGroupName, logGroupNames = [], logGroupIdentifiers = [] } = input;
  const names = [logGroupName, ...logGroupNames, ...logGroupIdentifiers].filter((name) => name !== undefined);
  const action = "logs:StartQuery";
  if (names.length === 0) return [{ action, resource: "*" }];
  return names.map((name) => ({ action, resource: groupResource({ logGroupName: name }, call) }));
}

/** As denials show it: a group's ARN goes on to its streams, whose name may be missing. */
function groupResource(input: Named, call: CallContext): string {
  const { logGroupName, logGroupIdentifier, resourceIdentifier, logGroupNamePrefix } = input;
  const named = logGroupName ?? logGroupIdentifier ?? resourceIdentifier ?? logGroupNamePrefix ?? "";
  const arn = named.startsWith("arn:") ? named.replace(/:\*$/, "") : groupArn(call, named);
  return `${arn}:log-stream:`;
}
