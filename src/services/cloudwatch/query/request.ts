import type * as client from "@aws-sdk/client-cloudwatch";
import { cloudwatchErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { readMetricStat, type StatQuery } from "./read-stat.ts";

/** One query of a request, checked. */
export interface DataQuery {
  readonly id: string;
  readonly label: string | undefined;
  readonly returned: boolean;
  /** What it is made of: a metric's statistic or an expression over others. */
  readonly of: StatQuery | { readonly expression: string; readonly period: number | undefined };
}

/** @param at the parameter's name in errors: `MetricDataQueries` or, of alarms, `Metrics` */
export function readQueries(queries: readonly client.MetricDataQuery[], at: string): readonly DataQuery[] {
  if (queries.length === 0) throw cloudwatchErrors.required(at);
  if (queries.length > LIMITS.metricDataQueries)
    throw cloudwatchErrors.validation(
      `The collection ${at} must not have a size greater than ${LIMITS.metricDataQueries}.`,
    );
  const ids = new Set<string>();
  return queries.map((query, index) => {
    const { Id = "", Label, ReturnData = true, Expression, MetricStat, Period } = query;
    const name = `${at}.member.${index + 1}`;
    if (!/^[a-z][A-Za-z0-9_]*$/.test(Id))
      throw cloudwatchErrors.validation(
        `The value ${Id} for parameter ${name}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.`,
      );
    if (ids.has(Id)) throw cloudwatchErrors.validation(`The id ${Id} is used more than once.`);
    ids.add(Id);
    if ((Expression === undefined) === (MetricStat === undefined))
      throw cloudwatchErrors.validation(
        `The parameters ${name}.Expression and ${name}.MetricStat are mutually exclusive and one of them must be specified.`,
      );
    const of =
      MetricStat === undefined
        ? { expression: Expression ?? "", period: Period === undefined ? undefined : Period * 1000 }
        : readMetricStat(MetricStat, `${name}.MetricStat`);
    return { id: Id, label: Label, returned: ReturnData, of };
  });
}

export function isStat(of: DataQuery["of"]): of is StatQuery {
  return "statistic" in of;
}
