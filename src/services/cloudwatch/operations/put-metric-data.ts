import type * as client from "@aws-sdk/client-cloudwatch";
import { Summary } from "#telemetry/summary";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import type { CloudWatchDeps } from "../deps.ts";
import { MINUTE, SECOND } from "../data/layers.ts";
import { type Metric, metricOf } from "../data/metric.ts";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";

type CloudWatch = typeof client;

interface Datum {
  readonly metric: Metric;
  readonly unit: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly summary: Summary;
  readonly step: typeof SECOND | typeof MINUTE;
}

export function putMetricDataOperations({ store, clock }: CloudWatchDeps) {
  /** Takes all of a request's data or none of it. Data are on disk a second later, as AWS too answers before they are. */
  const PutMetricData: Handler<CloudWatch, "PutMetricData"> = (input, call: CallContext) => {
    const { Namespace: namespace = "", MetricData = [] } = input;
    // The prefix is AWS's own; its services, and those of this platform, write to it by another way.
    if (/^AWS\//i.test(namespace) && call.principal.kind !== "service")
      throw cloudwatchErrors.invalid("Namespace", namespace);
    if (MetricData.length === 0 && input.EntityMetricData === undefined)
      throw cloudwatchErrors.required("MetricData");
    const entities = (input.EntityMetricData ?? []).map(({ MetricData: data = [] }) => data);
    const count = entities.reduce((sum, data) => sum + data.length, MetricData.length);
    if (count > LIMITS.datumsPerRequest)
      throw cloudwatchErrors.tooMany("MetricData", LIMITS.datumsPerRequest);
    const now = clock.now();
    const data = [
      ...readData(namespace, MetricData, "MetricData", now),
      ...entities.flatMap((entity, index) =>
        readData(namespace, entity, `EntityMetricData.member.${index + 1}.MetricData`, now),
      ),
    ];
    if (store.full) throw cloudwatchErrors.throttled();
    for (const { metric, unit, time, summary, step } of data)
      store.add(call, metric, unit, time, summary, step);
    return {};
  };

  return { PutMetricData } satisfies OperationsOf<CloudWatch>;
}

function readData(
  namespace: string,
  data: readonly client.MetricDatum[],
  parameter: string,
  now: number,
): Datum[] {
  return data.map((datum, index) => readDatum(namespace, datum, `${parameter}.member.${index + 1}`, now));
}

function readDatum(namespace: string, datum: client.MetricDatum, at: string, now: number): Datum {
  const { MetricName, Dimensions = [], Timestamp, StorageResolution = 60, Unit = "None" } = datum;
  if (MetricName === undefined) throw cloudwatchErrors.required(`${at}.MetricName`);
  // What has no UTF-8 form can be no key.
  if (!MetricName.isWellFormed() || !namespace.isWellFormed())
    throw cloudwatchErrors.invalid(`${at}.MetricName`, MetricName.toWellFormed());
  if (Dimensions.length > LIMITS.dimensions)
    throw cloudwatchErrors.tooMany(`${at}.Dimensions`, LIMITS.dimensions);
  if (StorageResolution !== 1 && StorageResolution !== 60)
    throw cloudwatchErrors.invalid(`${at}.StorageResolution`, StorageResolution);
  const time = Timestamp === undefined ? now : Timestamp.getTime();
  if (time < now - LIMITS.tooOld) throw cloudwatchErrors.tooOld(`${at}.Timestamp`);
  if (time > now + LIMITS.tooNew) throw cloudwatchErrors.tooNew(`${at}.Timestamp`);
  for (const [index, { Name, Value }] of Dimensions.entries())
    for (const [part, text] of [
      ["Name", Name],
      ["Value", Value],
    ] as const) {
      const parameter = `${at}.Dimensions.member.${index + 1}.${part}`;
      if (text === undefined) throw cloudwatchErrors.required(parameter);
      if (!text.isWellFormed()) throw cloudwatchErrors.invalid(parameter, text.toWellFormed());
    }
  if (new Set(Dimensions.map(({ Name }) => Name)).size !== Dimensions.length)
    throw cloudwatchErrors.value(`The parameter ${at}.Dimensions must not name a dimension twice.`);
  return {
    metric: metricOf(namespace, MetricName, Dimensions),
    unit: Unit,
    time,
    summary: readValues(datum, at),
    step: StorageResolution === 1 ? SECOND : MINUTE,
  };
}

/** A datum has one value, several with how often each occurred, or a statistic set. */
function readValues({ Value, Values, Counts, StatisticValues }: client.MetricDatum, at: string): Summary {
  const forms = { Value, Values, StatisticValues };
  const given = Object.entries(forms).filter(([, form]) => form !== undefined);
  const [first, second] = given;
  if (first === undefined) throw cloudwatchErrors.noValue(at);
  if (second !== undefined) throw cloudwatchErrors.exclusive(`${at}.${first[0]}`, `${at}.${second[0]}`);
  const summary = new Summary();
  if (StatisticValues !== undefined) {
    summary.addSet(readSet(StatisticValues, `${at}.StatisticValues`));
    return summary;
  }
  if (Value !== undefined) {
    summary.add(checked(Value, `${at}.Value`));
    return summary;
  }
  const values = Values ?? [];
  if (values.length > LIMITS.valuesPerDatum)
    throw cloudwatchErrors.tooMany(`${at}.Values`, LIMITS.valuesPerDatum);
  if (Counts !== undefined && Counts.length !== values.length)
    throw cloudwatchErrors.unequalSizes(`${at}.Values`, `${at}.Counts`);
  if (values.length === 0) throw cloudwatchErrors.noValue(at);
  for (const [index, value] of values.entries()) {
    const count = Counts?.[index] ?? 1;
    const parameter = `${at}.Counts.member.${index + 1}`;
    if (checked(count, parameter) < 0) throw cloudwatchErrors.invalid(parameter, count);
    if (count > 0) summary.add(checked(value, `${at}.Values.member.${index + 1}`), count);
  }
  return summary;
}

function readSet(set: client.StatisticSet, at: string) {
  const read = (name: "SampleCount" | "Sum" | "Minimum" | "Maximum"): number => {
    const value = set[name];
    if (value === undefined) throw cloudwatchErrors.required(`${at}.${name}`);
    return checked(value, `${at}.${name}`);
  };
  const [count, sum, min, max] = [read("SampleCount"), read("Sum"), read("Minimum"), read("Maximum")];
  if (count <= 0) throw cloudwatchErrors.invalid(`${at}.SampleCount`, count);
  if (min > max)
    throw cloudwatchErrors.value(`The parameter ${at}.Maximum must be greater than ${at}.Minimum.`);
  return { count, sum, min, max };
}

function checked(value: number, parameter: string): number {
  if (Number.isFinite(value) && Math.abs(value) <= LIMITS.magnitude) return value;
  throw cloudwatchErrors.invalid(parameter, value);
}
