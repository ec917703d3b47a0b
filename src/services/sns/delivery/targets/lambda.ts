import type { InvokeCommandInput } from "@aws-sdk/client-lambda";
import { parseArn } from "#core/arn";
import { servicePrincipal } from "#core/principal";
import type { AwsCaller } from "#wire/operation";
import { subscriptionArn, topicArn } from "../../arns.ts";
import { lambdaEvent } from "../../message/notification.ts";
import { DeliveryFailure } from "../failure.ts";
import type { Target } from "./target.ts";

/** Invokes a function asynchronously: its own queue takes over from there. */
export function lambdaTarget(caller: AwsCaller): Target {
  return async ({ message, subscription, notice }) => {
    const arn = parseArn(subscription.endpoint);
    if (arn === undefined) throw new DeliveryFailure("the endpoint is no ARN", { permanent: true });
    const input: InvokeCommandInput = {
      FunctionName: subscription.endpoint,
      InvocationType: "Event",
      Payload: Buffer.from(lambdaEvent(notice, subscriptionArn({ ...message, id: subscription.id }))),
    };
    await caller.call("lambda", "Invoke", input, {
      principal: servicePrincipal("sns.amazonaws.com", {
        account: arn.account,
        sourceArn: topicArn(message),
        sourceAccount: message.account,
      }),
      region: arn.region,
      traceHeader: message.traceHeader,
    });
  };
}
