import { compileFilterPattern, FilterPatternError, type LogFilter } from "#patterns/filter/pattern";
import { logsErrors } from "./errors.ts";

/** @throws AwsError InvalidParameterException for a pattern that cannot be read */
export function compileEventFilter(pattern: string): LogFilter {
  return checkedPattern(() => compileFilterPattern(pattern));
}

/** Turns what is wrong with a filter pattern into the answer. @throws AwsError InvalidParameterException */
export function checkedPattern<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof FilterPatternError) throw logsErrors.pattern(error.message);
    throw error;
  }
}
