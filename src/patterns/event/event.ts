import { compilePattern } from "./compile.ts";
import { type Dialect, EVENT_BRIDGE } from "./dialect.ts";
import { EventPatternError, JsonSyntaxError } from "./error.ts";
import { readJson } from "./json.ts";
import { matchesEvent } from "./match.ts";
import type { ObjectPattern } from "./pattern.ts";
import { prepareEvent } from "./prepare.ts";

export { EVENT_BRIDGE, EVENT_SOURCE_MAPPING, FILTER_POLICY } from "./dialect.ts";
export { EventPatternError, JsonSyntaxError } from "./error.ts";
export { matchesEvent } from "./match.ts";
export { type PreparedEvent, prepareEvent } from "./prepare.ts";

/** Whether an event, as JSON.parse gives it, matches. */
export type EventPattern = (event: unknown) => boolean;

/**
 * Compiles an event pattern ("Amazon EventBridge event patterns", EventBridge user guide) once, to match any number of
 * events. `prepareEvent` and `matchesEvent` do the two halves of the work where many patterns meet one event.
 * @throws EventPatternError in AWS's words, also where the text is not JSON
 */
export function compileEventPattern(json: string, dialect: Dialect = EVENT_BRIDGE): EventPattern {
  const pattern = parseEventPattern(json, dialect);
  return (event) => matchesEvent(pattern, prepareEvent(event));
}

/** Reads a pattern without making it a function. @throws EventPatternError */
export function parseEventPattern(json: string, dialect: Dialect): ObjectPattern {
  try {
    return compilePattern(readJson(json), json, dialect);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const { message, line, column } = error;
    throw new EventPatternError(
      `${message}\n at [Source: (String)"${json}"; line: ${line}, column: ${column}]`,
    );
  }
}
