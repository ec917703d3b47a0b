/** The time and the request stand at the beginning of runtimes' own lines; they are told once. */
const PREFIX = /^(?:\[[A-Z]+\]\t)?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z[\t ][0-9a-f-]{36}[\t ]/;

export type Fields = Readonly<Record<string, unknown>>;

/** A line as a request's account has it, without its time and its request; of JSON, the level, the message and what else it says. */
export function lineOf(message: string): string {
  const fields = fieldsOf(message);
  if (fields === undefined) return message.replace(PREFIX, "");
  const { time, timestamp, type, record, level, message: text, requestId: _request, ...rest } = fields;
  if (typeof time === "string" && typeof type === "string" && type.startsWith("platform.")) {
    const { requestId: _own, ...told } = asFields(record) ?? {};
    return joined([type], told);
  }
  if (typeof timestamp !== "string" || typeof level !== "string" || text === undefined) return message;
  const error = asFields(text);
  if (typeof text === "string") return joined([level, text], rest);
  if (error === undefined || typeof error["errorType"] !== "string")
    return joined([level, JSON.stringify(text)], rest);
  const { errorType, errorMessage, stackTrace: _told, ...more } = error;
  return joined([level, `${errorType}: ${String(errorMessage)}`], { ...more, ...rest });
}

function joined(parts: readonly string[], rest: Fields): string {
  return [...parts, ...(Object.keys(rest).length === 0 ? [] : [JSON.stringify(rest)])].join("  ");
}

/** A message that is a JSON object, as all are of a function with `LogFormat` JSON. */
export function fieldsOf(message: string): Fields | undefined {
  if (!message.startsWith("{")) return undefined;
  try {
    return asFields(JSON.parse(message));
  } catch {
    return undefined;
  }
}

export function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
