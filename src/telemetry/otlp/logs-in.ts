import { attributesOf, fieldsOf, hexOf, listOf, numberOf, plainOf, textOf } from "./values.ts";
import type { Fields } from "./values.ts";

export interface EventIn {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
}

/**
 * Log records as log events, each one JSON document with what its record, scope and resource say: so AWS's endpoint stores
 * them (CloudWatch user guide, "OTLP endpoints").
 * @param now epoch milliseconds, for records without a time
 */
export function readLogs(request: Fields, now: number): readonly EventIn[] {
  const events: EventIn[] = [];
  for (const { resource, scopeLogs } of listOf(request["resourceLogs"])) {
    const about = { attributes: attributesOf(fieldsOf(resource)["attributes"]) };
    for (const { scope, logRecords } of listOf(scopeLogs)) {
      const { name, version } = fieldsOf(scope);
      for (const record of listOf(logRecords)) {
        const nanoseconds =
          numberOf(record["timeUnixNano"]) || numberOf(record["observedTimeUnixNano"]) || now * 1e6;
        const traceId = hexOf(record["traceId"]);
        const spanId = hexOf(record["spanId"]);
        const message = JSON.stringify({
          resource: about,
          scope: { name: textOf(name), ...(textOf(version) === "" ? {} : { version }) },
          timeUnixNano: nanoseconds,
          severityNumber: numberOf(record["severityNumber"]),
          severityText: textOf(record["severityText"]) || undefined,
          body: plainOf(record["body"]),
          attributes: attributesOf(record["attributes"]),
          ...(traceId === "" ? {} : { traceId }),
          ...(spanId === "" ? {} : { spanId }),
        });
        events.push({ timestamp: Math.floor(nanoseconds / 1e6), message });
      }
    }
  }
  return events.toSorted((a, b) => a.timestamp - b.timestamp);
}
