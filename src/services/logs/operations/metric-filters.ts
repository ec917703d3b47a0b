import type * as client from "@aws-sdk/client-cloudwatch-logs";
import { compileFields, compileFilterPattern } from "#patterns/filter/pattern";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { checkedPattern } from "../compile-filter.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import type { FilterFollower } from "../filters/follower.ts";
import { compileValue } from "../filters/metric-values.ts";
import {
  countMetricFilters,
  filterKeys,
  registerGroup,
  type MetricFilterDocument,
  type MetricTransformationRecord,
} from "../filters/store.ts";
import { LIMITS } from "../limits.ts";
import { checkNameLength, requireGroup, withNamePrefix, type Scope } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

export function metricFilterOperations({ documents, clock }: LogsDeps, follower: FilterFollower) {
  const PutMetricFilter: Handler<Logs, "PutMetricFilter"> = async (input, call) => {
    const { logGroupName: group = "", filterName: name = "", filterPattern: pattern = "" } = input;
    checkNameLength(group);
    if (input.applyOnTransformedLogs === true) throw logsErrors.notAvailable("applyOnTransformedLogs");
    if (input.fieldSelectionCriteria !== undefined) throw logsErrors.notAvailable("fieldSelectionCriteria");
    if ((input.emitSystemFieldDimensions ?? []).length > 0)
      throw logsErrors.notAvailable("emitSystemFieldDimensions");
    const transformations = (input.metricTransformations ?? []).map((one) =>
      readTransformation(pattern, one),
    );
    const key = [...filterKeys.metric(call, group), name] as const;
    requireGroup(documents, call, group);
    await registerGroup(documents, call, group);
    await revise<MetricFilterDocument>(documents, key, (current) => {
      const found = requireGroup(documents, call, group);
      const others = countMetricFilters(documents, call, found.value);
      if (current === undefined && others >= LIMITS.metricFilters) throw logsErrors.limit();
      const created = current?.value.created ?? clock.now();
      const metricFilters = current === undefined ? others + 1 : others;
      return [
        { key, value: { group, name, pattern, created, transformations } satisfies MetricFilterDocument },
        { key: found.key, value: { ...found.value, metricFilters }, expected: found.revision },
      ];
    });
    follower.changed(call, group);
    return {};
  };

  const DeleteMetricFilter: Handler<Logs, "DeleteMetricFilter"> = async (input, call) => {
    const { logGroupName: group = "", filterName = "" } = input;
    checkNameLength(group);
    requireGroup(documents, call, group);
    const key = [...filterKeys.metric(call, group), filterName] as const;
    await revise(documents, key, (current) => {
      if (current === undefined) throw logsErrors.metricFilterMissing();
      const found = requireGroup(documents, call, group);
      const metricFilters = countMetricFilters(documents, call, found.value) - 1;
      return [
        { key, delete: true },
        { key: found.key, value: { ...found.value, metricFilters }, expected: found.revision },
      ];
    });
    follower.changed(call, group);
    return {};
  };

  const DescribeMetricFilters: Handler<Logs, "DescribeMetricFilters"> = (input, call) => {
    const { logGroupName, filterNamePrefix, metricName, metricNamespace } = input;
    if ((metricName === undefined) !== (metricNamespace === undefined))
      throw logsErrors.metricNameAndNamespace();
    const limit = input.limit ?? LIMITS.describePage;
    const after =
      input.nextToken === undefined
        ? undefined
        : readPageToken(input.nextToken, ["string", "string"] as const);
    const page: MetricFilterDocument[] = [];
    for (const filter of filtersIn(call, logGroupName, filterNamePrefix, after)) {
      const wanted = filter.transformations.some(
        ({ name, namespace }) =>
          metricName === undefined || (name === metricName && namespace === metricNamespace),
      );
      if (!wanted) continue;
      page.push(filter);
      if (page.length > limit) break;
    }
    const shown = page.slice(0, limit);
    const last = shown.at(-1);
    return {
      metricFilters: shown.map((filter) => describe(filter)),
      ...(page.length > limit && last !== undefined
        ? { nextToken: writePageToken([last.group, last.name]) }
        : {}),
    };
  };

  function* filtersIn(
    scope: Scope,
    group: string | undefined,
    prefix: string | undefined,
    after: readonly [string, string] | undefined,
  ): Generator<MetricFilterDocument> {
    if (group !== undefined) {
      requireGroup(documents, scope, group);
      const parent = filterKeys.metric(scope, group);
      for (const { value } of withNamePrefix<MetricFilterDocument>(documents, parent, prefix, after?.[1]))
        yield value;
      return;
    }
    const parent = [scope.account, scope.region, "log-metric-filter"] as const;
    const options = after === undefined ? {} : { after: [...parent, ...after] as const };
    for (const { value } of documents.list<MetricFilterDocument>(parent, options))
      if (value.name.startsWith(prefix ?? "")) yield value;
  }

  const TestMetricFilter: Handler<Logs, "TestMetricFilter"> = ({
    filterPattern = "",
    logEventMessages = [],
  }) => {
    const [matches, fields] = checkedPattern(
      () => [compileFilterPattern(filterPattern), compileFields(filterPattern)] as const,
    );
    return {
      matches: logEventMessages.flatMap((eventMessage, index) =>
        matches(eventMessage)
          ? [
              {
                eventNumber: index + 1,
                eventMessage,
                extractedValues: Object.fromEntries(fields(eventMessage)),
              },
            ]
          : [],
      ),
    };
  };

  return {
    PutMetricFilter,
    DeleteMetricFilter,
    DescribeMetricFilters,
    TestMetricFilter,
  } satisfies OperationsOf<Logs>;
}

/** @throws AwsError InvalidParameterException where the pattern has no such value */
function readTransformation(pattern: string, given: client.MetricTransformation): MetricTransformationRecord {
  const { metricName = "", metricNamespace = "", metricValue = "", defaultValue, dimensions, unit } = given;
  const names = Object.keys(dimensions ?? {});
  if (names.length > LIMITS.metricDimensions) throw logsErrors.tooManyDimensions(LIMITS.metricDimensions);
  if (names.length > 0 && defaultValue !== undefined) throw logsErrors.defaultAndDimensions();
  if (!metricValue.startsWith("$") && !Number.isFinite(Number(metricValue || "x")))
    throw logsErrors.metricValue();
  checkedPattern(() => {
    compileFilterPattern(pattern);
    compileValue(pattern, metricValue);
    for (const selector of Object.values(dimensions ?? {})) compileValue(pattern, selector);
  });
  return {
    namespace: metricNamespace,
    name: metricName,
    value: metricValue,
    defaultValue,
    dimensions: names.length === 0 ? undefined : dimensions,
    unit,
  };
}

/** As recorded (test_describe_metric_filters_by_log_group). */
function describe({
  group,
  name,
  pattern,
  created,
  transformations,
}: MetricFilterDocument): client.MetricFilter {
  return {
    filterName: name,
    filterPattern: pattern,
    metricTransformations: transformations.map((one) => ({
      metricName: one.name,
      metricNamespace: one.namespace,
      metricValue: one.value,
      ...(one.defaultValue === undefined ? {} : { defaultValue: one.defaultValue }),
      ...(one.dimensions === undefined ? {} : { dimensions: { ...one.dimensions } }),
      ...(one.unit === undefined ? {} : { unit: one.unit }),
    })),
    creationTime: created,
    logGroupName: group,
    applyOnTransformedLogs: false,
  };
}
