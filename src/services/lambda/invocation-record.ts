import type { AsyncEvent } from "#engine/invocation/async-event";
import type { EventOutcome } from "#engine/invocation/async-outcome";

/**
 * An invocation record (recorded: test_assess_lambda_destination_invocation). What went into the function and came out
 * of it is JSON already and is passed on as it is.
 * @param now epoch milliseconds
 * @param payloads false leaves out what went in and what came out: for destinations that cannot hold them
 */
export function writeRecord(event: AsyncEvent, outcome: EventOutcome, now: number, payloads = true): Buffer {
  const { condition, attempts, last } = outcome;
  const head = {
    version: "1.0",
    timestamp: new Date(now).toISOString(),
    requestContext: {
      requestId: event.requestId,
      functionArn: `${event.functionArn}:${event.qualifier ?? "$LATEST"}`,
      condition,
      approximateInvokeCount: attempts,
    },
  };
  const parts: Uint8Array[] = [Buffer.from(JSON.stringify(head).slice(0, -1))];
  if (payloads) parts.push(Buffer.from(`,"requestPayload":`), event.payload);
  if (last !== undefined) {
    const { functionError, payload } = last.result;
    const context = {
      statusCode: 200,
      executedVersion: last.version,
      ...(functionError === undefined ? {} : { functionError }),
    };
    parts.push(Buffer.from(`,"responseContext":${JSON.stringify(context)}`));
    if (payloads)
      parts.push(Buffer.from(`,"responsePayload":`), payload.length === 0 ? Buffer.from("null") : payload);
  }
  return Buffer.concat([...parts, Buffer.from("}")]);
}

/** `aws/lambda/async/name/2026/01/31/2026-01-31T12.00.00-` and a UUID (developer guide, "S3 destinations"). */
export function recordKey(functionName: string, now: number, uuid: string): string {
  const time = new Date(now).toISOString();
  const day = time.slice(0, 10).replaceAll("-", "/");
  return `aws/lambda/async/${functionName}/${day}/${time.slice(0, 19).replaceAll(":", ".")}-${uuid}`;
}
