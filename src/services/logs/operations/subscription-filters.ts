import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { parseArn } from "#core/arn";
import { AwsError } from "#core/errors";
import type { AwsCaller, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { compileEventFilter } from "../compile-filter.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import type { FilterFollower } from "../filters/follower.ts";
import { filterKeys, registerGroup, type SubscriptionFilterDocument } from "../filters/store.ts";
import { invokeDestination } from "../filters/subscriber.ts";
import { LIMITS } from "../limits.ts";
import { checkNameLength, requireGroup, withNamePrefix, type Scope } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

export function subscriptionFilterOperations(
  { documents, clock }: LogsDeps,
  follower: FilterFollower,
  caller: AwsCaller,
) {
  const PutSubscriptionFilter: Handler<Logs, "PutSubscriptionFilter"> = async (input, call) => {
    const { logGroupName: group = "", filterName: name = "", filterPattern: pattern = "" } = input;
    checkNameLength(group);
    if (input.applyOnTransformedLogs === true) throw logsErrors.notAvailable("applyOnTransformedLogs");
    if (input.fieldSelectionCriteria !== undefined) throw logsErrors.notAvailable("fieldSelectionCriteria");
    if ((input.emitSystemFields ?? []).length > 0) throw logsErrors.notAvailable("emitSystemFields");
    requireGroup(documents, call, group);
    compileEventFilter(pattern);
    const destinationArn = input.destinationArn ?? "";
    await requireDestination(call, group, destinationArn);
    const parent = filterKeys.subscription(call, group);
    const key = [...parent, name] as const;
    await registerGroup(documents, call, group);
    await revise<SubscriptionFilterDocument>(documents, key, (current) => {
      const found = requireGroup(documents, call, group);
      const others = Array.from(documents.list(parent, { limit: LIMITS.subscriptionFilters }));
      if (current === undefined && others.length >= LIMITS.subscriptionFilters) throw logsErrors.limit();
      const value: SubscriptionFilterDocument = {
        group,
        name,
        pattern,
        created: current?.value.created ?? clock.now(),
        destinationArn,
        roleArn: input.roleArn,
        distribution: input.distribution ?? "ByLogStream",
      };
      // The group in the same commit: two filters that come at once are counted one after the other.
      return [
        { key, value },
        { key: found.key, value: found.value, expected: found.revision },
      ];
    });
    follower.changed(call, group);
    return {};
  };

  /** Whether what the filter finds could be delivered: asked without running the function. */
  async function requireDestination(scope: Scope, group: string, destinationArn: string): Promise<void> {
    const arn = parseArn(destinationArn);
    if (arn?.service === "logs" && arn.resource.startsWith("destination:"))
      throw logsErrors.destinationMissing();
    if (arn?.service !== "lambda")
      throw logsErrors.undeliverable(arn?.service) ?? logsErrors.destinationUnknown(destinationArn);
    try {
      await invokeDestination(caller, scope, group, destinationArn, { InvocationType: "DryRun" });
    } catch (error) {
      if (error instanceof AwsError) throw logsErrors.functionRefused();
      throw error;
    }
  }

  const DeleteSubscriptionFilter: Handler<Logs, "DeleteSubscriptionFilter"> = async (input, call) => {
    const { logGroupName: group = "", filterName = "" } = input;
    requireGroup(documents, call, group);
    const key = [...filterKeys.subscription(call, group), filterName] as const;
    await revise(documents, key, (current) => {
      if (current === undefined) throw logsErrors.subscriptionMissing();
      return [{ key, delete: true }];
    });
    follower.changed(call, group);
    return {};
  };

  const DescribeSubscriptionFilters: Handler<Logs, "DescribeSubscriptionFilters"> = (input, call) => {
    const group = input.logGroupName ?? "";
    requireGroup(documents, call, group);
    const limit = input.limit ?? LIMITS.describePage;
    const after =
      input.nextToken === undefined ? undefined : readPageToken(input.nextToken, ["string"] as const)[0];
    const page: SubscriptionFilterDocument[] = [];
    const parent = filterKeys.subscription(call, group);
    for (const { value } of withNamePrefix<SubscriptionFilterDocument>(
      documents,
      parent,
      input.filterNamePrefix,
      after,
    )) {
      page.push(value);
      if (page.length > limit) break;
    }
    const shown = page.slice(0, limit);
    return {
      subscriptionFilters: shown.map((filter) => describe(filter)),
      ...(page.length > limit ? { nextToken: writePageToken([shown.at(-1)?.name ?? ""]) } : {}),
    };
  };

  return {
    PutSubscriptionFilter,
    DeleteSubscriptionFilter,
    DescribeSubscriptionFilters,
  } satisfies OperationsOf<Logs>;
}

/** As recorded (test_put_subscription_filter_lambda). */
function describe(filter: SubscriptionFilterDocument): client.SubscriptionFilter {
  const { group, name, pattern, destinationArn, roleArn, distribution, created } = filter;
  return {
    filterName: name,
    logGroupName: group,
    filterPattern: pattern,
    destinationArn,
    ...(roleArn === undefined ? {} : { roleArn }),
    distribution,
    applyOnTransformedLogs: false,
    creationTime: created,
  };
}
