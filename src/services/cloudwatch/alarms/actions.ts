import { formatArn, parseArn } from "#core/arn";
import type { Ids } from "#core/ids";
import { servicePrincipal } from "#core/principal";
import type { AwsCaller } from "#wire/operation";
import type { HistoryItem } from "./history.ts";
import { javaDate } from "./java.ts";
import { type Change, lambdaEventOf, notificationOf, subjectOf } from "./messages.ts";
import { actionsOf, alarmArn } from "./records.ts";

/** AWS's principal for functions that alarms invoke (user guide, "Invoke a Lambda function from an alarm"). */
const LAMBDA_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com";

/** More of a published message is not kept in the history. */
const MAX_SHOWN = 3000;

/** Carries out what an alarm's new state asks for, and says how each action went. It does not reject. */
export async function runActions(
  { caller, ids }: { readonly caller: AwsCaller; readonly ids: Ids },
  change: Change,
): Promise<readonly HistoryItem[]> {
  if (!change.alarm.actionsEnabled) return [];
  const actions = actionsOf(change.alarm, change.to.value);
  return Promise.all(
    actions.map(async (action) => {
      try {
        const message = await runAction(caller, ids, change, action);
        return item(change, action, undefined, message);
      } catch (error) {
        return item(change, action, error instanceof Error ? error.message : String(error), undefined);
      }
    }),
  );
}

async function runAction(
  caller: AwsCaller,
  ids: Ids,
  change: Change,
  action: string,
): Promise<string | undefined> {
  const arn = parseArn(action);
  const { scope, alarm } = change;
  if (arn === undefined) throw new Error(`Invalid ARN: ${action}`);
  const by = (service: string) => ({
    principal: servicePrincipal(service, {
      account: arn.account === "" ? scope.account : arn.account,
      sourceArn: alarmArn(scope, alarm.name),
      sourceAccount: scope.account,
    }),
    region: arn.region === "" ? scope.region : arn.region,
  });
  if (arn.service === "sns") {
    const message = notificationOf(change);
    const input = { TopicArn: action, Subject: subjectOf(change), Message: message };
    await caller.call("sns", "Publish", input, by("cloudwatch.amazonaws.com"));
    return message;
  }
  if (arn.service === "lambda") {
    const [, name = "", qualifier] = arn.resource.split(":");
    const input = {
      FunctionName: formatArn("lambda", arn.region, arn.account, `function:${name}`),
      ...(qualifier === undefined ? {} : { Qualifier: qualifier }),
      InvocationType: "Event",
      Payload: Buffer.from(lambdaEventOf(change, ids.uuid())),
    };
    await caller.call("lambda", "Invoke", input, by(LAMBDA_PRINCIPAL));
    return undefined;
  }
  throw new Error(`actions of ${arn.service} are not carried out here`);
}

function item(
  { alarm, contributor, to }: Change,
  action: string,
  error: string | undefined,
  message: string | undefined,
): HistoryItem {
  const data = {
    actionState: error === undefined ? "Succeeded" : "Failed",
    notificationResource: action,
    stateUpdateTimestamp: to.updatedAt,
    ...(message !== undefined && message.length <= MAX_SHOWN ? { publishedMessage: message } : {}),
    error: error ?? null,
    timestamp: javaDate(to.updatedAt),
  };
  return {
    name: alarm.name,
    alarmType: alarm.type === "metric" ? "MetricAlarm" : "CompositeAlarm",
    type: contributor === undefined ? "Action" : "AlarmContributorAction",
    contributor,
    summary: (error === undefined
      ? `Successfully executed action ${action}`
      : `Failed to execute action ${action}. Received error: "${error}"`
    ).slice(0, 255),
    data: JSON.stringify(data),
  };
}
