import { keyValues } from "./values.ts";
import type { Fields } from "./values.ts";

/** An event of a log stream. */
export interface LogOut {
  readonly account: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
}

const OF_FUNCTION = "/aws/lambda/";
/** As Lambda's runtimes write it: `…\tERROR\t…`, or a member of a JSON document. */
const SEVERITY =
  /^[^\t\n]*(?:\t[^\t\n]*)?\t(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\t|^\{.*?"level":\s?"([A-Za-z]{4,8})"/;
const NUMBERS: Readonly<Record<string, number>> = {
  TRACE: 1,
  DEBUG: 5,
  INFO: 9,
  WARN: 13,
  ERROR: 17,
  FATAL: 21,
};
/** A level stands near a line's beginning. */
const HEAD = 500;

/** Log events by their streams. */
export function encodeLogs(events: readonly LogOut[]): Fields {
  const streams = new Map<string, LogOut[]>();
  for (const event of events) {
    const key = JSON.stringify([event.account, event.region, event.group, event.stream]);
    const known = streams.get(key) ?? [];
    streams.set(key, known);
    known.push(event);
  }
  return {
    resourceLogs: Array.from(streams.values(), (own) => ({
      resource: resourceOf(own[0]),
      scopeLogs: [{ scope: { name: "thaw" }, logRecords: own.map((event) => recordOf(event)) }],
    })),
  };
}

function resourceOf(event: LogOut | undefined): Fields {
  if (event === undefined) return {};
  const { account, region, group, stream } = event;
  const name = group.startsWith(OF_FUNCTION) ? group.slice(OF_FUNCTION.length) : undefined;
  return {
    attributes: keyValues({
      "service.name": name ?? group,
      "cloud.provider": "aws",
      "cloud.account.id": account,
      "cloud.region": region,
      "cloud.platform": name === undefined ? undefined : "aws_lambda",
      "faas.name": name,
      "aws.log.group.names": [group],
      "aws.log.stream.names": [stream],
    }),
  };
}

function recordOf({ time, message }: LogOut): Fields {
  const [, word, member] = SEVERITY.exec(message.slice(0, HEAD)) ?? [];
  const severity = (word ?? member)?.toUpperCase();
  const number = severity === undefined ? undefined : NUMBERS[severity === "WARNING" ? "WARN" : severity];
  return {
    timeUnixNano: `${time}000000`,
    observedTimeUnixNano: `${time}000000`,
    ...(number === undefined ? {} : { severityNumber: number, severityText: severity }),
    body: { stringValue: message.replace(/\n$/, "") },
  };
}
