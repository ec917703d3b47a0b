import type { Tag } from "@aws-sdk/client-cloudwatch";
import { oldAccessDenied } from "#wire/authorisation/denials";
import { tagListKeys } from "#wire/authorisation/request-keys";
import { each } from "#wire/authorisation/table";
import type { ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import type { Documents } from "#storage/documents";
import { alarmArn } from "./alarms/records.ts";
import { dashboardArn } from "./dashboards.ts";
import { tagsKey } from "./tags.ts";

interface Named {
  readonly AlarmName?: string | undefined;
  readonly AlarmNames?: readonly string[] | undefined;
  readonly DashboardName?: string | undefined;
  readonly DashboardNames?: readonly string[] | undefined;
  readonly Namespace?: string | undefined;
  readonly ResourceARN?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

/** What CloudWatch's operations need permission for (Service Authorization Reference, "Amazon CloudWatch"). */
export function createCloudWatchAuthorisation(documents: Documents): ServiceAuthorisation {
  return {
    prefix: "cloudwatch",
    denied: oldAccessDenied,
    questions: {
      ...each("cloudwatch", ["PutMetricAlarm", "PutCompositeAlarm"], (input: Named, call) => ({
        resource: alarmArn(call, input.AlarmName ?? ""),
        keys: tagListKeys(input.Tags),
      })),
      ...each("cloudwatch", ["SetAlarmState", "DescribeAlarmContributors"], (input: Named, call) =>
        alarmArn(call, input.AlarmName ?? ""),
      ),
      ...each("cloudwatch", ["DescribeAlarmHistory"], (input: Named, call) =>
        alarmArn(call, input.AlarmName ?? "*"),
      ),
      ...each("cloudwatch", ["DescribeAlarms", "DescribeAlarmsForMetric"], (_input: Named, call) =>
        alarmArn(call, "*"),
      ),
      ...onEach(["DeleteAlarms", "EnableAlarmActions", "DisableAlarmActions"], ({ AlarmNames = [] }, call) =>
        AlarmNames.map((name) => alarmArn(call, name)),
      ),
      ...each("cloudwatch", ["GetDashboard", "PutDashboard"], (input: Named, { account }) =>
        dashboardArn(account, input.DashboardName ?? ""),
      ),
      ...onEach(["DeleteDashboards"], ({ DashboardNames = [] }, { account }) =>
        DashboardNames.map((name) => dashboardArn(account, name)),
      ),
      ...each("cloudwatch", ["PutMetricData"], (input: Named) => ({
        resource: "*",
        keys: { "cloudwatch:namespace": input.Namespace },
      })),
      ...each("cloudwatch", ["TagResource", "UntagResource"], (input: Named) => ({
        resource: input.ResourceARN ?? "*",
        keys: {
          ...tagListKeys(input.Tags),
          ...(input.TagKeys === undefined ? {} : { "aws:tagkeys": input.TagKeys }),
        },
      })),
      ...each("cloudwatch", ["ListTagsForResource"], (input: Named) => input.ResourceARN ?? "*"),
    },
    resourceTags: (arn) => {
      const [, , , region = "", account = ""] = arn.split(":", 6);
      return documents.get<Readonly<Record<string, string>>>(tagsKey({ account, region }, arn))?.value;
    },
  };
}

/** Operations that work on several resources ask about each of them. */
function onEach(
  operations: readonly string[],
  resources: (input: Named, call: CallContext) => readonly string[],
): ServiceAuthorisation["questions"] {
  return Object.fromEntries(
    operations.map((operation) => [
      operation,
      (input: Named, call: CallContext) =>
        resources(input, call).map((resource) => ({ action: `cloudwatch:${operation}`, resource })),
    ]),
  );
}
