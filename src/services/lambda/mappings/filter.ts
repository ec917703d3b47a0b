import type { FilterCriteria } from "@aws-sdk/client-lambda";
import {
  compileEventPattern,
  EVENT_SOURCE_MAPPING,
  type EventPattern,
  EventPatternError,
} from "#patterns/event/event";
import { errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";

/** The part of a record that filters of each source look into as JSON. */
const DATA = ["body", "data", "value", "dynamodb"] as const;

/**
 * Whether a record passes FilterCriteria: any of the patterns lets it; undefined where there are none.
 * @throws AwsError InvalidParameterValueException (recorded: sqs_invalid_event_filter)
 */
export function compileFilter(criteria: FilterCriteria | undefined): EventPattern | undefined {
  const filters = criteria?.Filters ?? [];
  if (filters.length === 0) return undefined;
  if (filters.length > LIMITS.filters) throw errors.tooManyFilters(LIMITS.filters);
  const patterns = filters.map(({ Pattern }) => compileOne(Pattern));
  return (record) => patterns.some((matches) => matches(record));
}

function compileOne(pattern: string | undefined): EventPattern {
  let matches: EventPattern;
  try {
    matches = compileEventPattern(pattern ?? "", EVENT_SOURCE_MAPPING);
  } catch (error) {
    if (error instanceof EventPatternError) throw errors.invalidFilterPattern();
    throw error;
  }
  const wanted = DATA.filter((name) =>
    isObject((JSON.parse(pattern ?? "{}") as Record<string, unknown>)[name]),
  );
  // "Plain string" data never passes a pattern for JSON, not even one that asks for the absence of a member.
  return (record) =>
    wanted.every((name) => isObject((record as Record<string, unknown>)[name])) && matches(record);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
