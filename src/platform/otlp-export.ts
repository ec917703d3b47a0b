import type { OtlpEnvironment } from "#config/config";
import type { Principal } from "#core/principal";
import type { AppendedEvents } from "#services/logs/ingestion";
import type { SegmentsTaken } from "#services/xray/deps";
import { decodeLogRecord } from "#telemetry/log-record";
import type { Family } from "#telemetry/open-metrics";
import { OtlpExporter } from "#telemetry/otlp/exporter";
import { encodeLogs, type LogOut } from "#telemetry/otlp/logs-out";
import { encodeMetrics, type FamilyOut } from "#telemetry/otlp/metrics-out";
import { SIGNALS, type Signal } from "#telemetry/otlp/signals";
import { encodeSpans, type SegmentOut } from "#telemetry/otlp/spans-out";
import type { SharedByServices } from "./shared.ts";

/** What a line, a document and a value cost beside their text. */
const OVERHEAD = 300;

export interface OtlpExport {
  logs(appended: AppendedEvents): void;
  segments(taken: SegmentsTaken): void;
  /** How much was sent and dropped. */
  families(): readonly Family[];
  /** Sends what is left. */
  close(): Promise<void>;
}

/**
 * Sends what X-Ray, CloudWatch Logs and `/_thaw/metrics` get to a collector of the operator's own, too.
 * @param read gives the metrics of now
 */
export function openOtlpExport(
  { clock, log }: Pick<SharedByServices, "clock" | "log">,
  endpoint: string,
  { headers, metricIntervalMs }: OtlpEnvironment,
  read: () => Promise<readonly Family[]>,
): OtlpExport {
  const base = endpoint.replace(/\/+$/, "");
  const shared = (signal: Signal) => ({
    clock,
    signal,
    headers,
    url: `${base}/v1/${signal}`,
    onDropped: (dropped: number, reason: string) =>
      log.error({ signal, dropped, reason }, "OTLP: telemetry was dropped"),
  });
  const traces = new OtlpExporter<SegmentOut>({
    ...shared("traces"),
    encode: encodeSpans,
    sizeOf: ({ document }) => OVERHEAD + document.length,
  });
  const logs = new OtlpExporter<LogOut>({
    ...shared("logs"),
    encode: encodeLogs,
    sizeOf: ({ message }) => OVERHEAD + message.length,
  });
  const metrics = new OtlpExporter<FamilyOut>({
    ...shared("metrics"),
    encode: encodeMetrics,
    sizeOf: ({ family }) => OVERHEAD * (1 + family.samples.length),
  });
  const exporters = { traces, logs, metrics };
  const since = clock.now();
  let closed = false;
  let timer = schedule();

  async function pushMetrics(): Promise<void> {
    const time = clock.now();
    for (const family of await read()) metrics.push({ family, since, time });
  }

  function schedule() {
    return clock.after(metricIntervalMs, () => {
      void pushMetrics()
        .catch((error: unknown) => log.error(error, "OTLP: metrics"))
        .then(() => {
          if (!closed) timer = schedule();
        });
    });
  }

  return {
    logs({ scope, group, stream, records }) {
      for (const { body } of records) {
        const { timestamp, message } = decodeLogRecord(body);
        logs.push({ account: scope.account, region: scope.region, group, stream, time: timestamp, message });
      }
    },
    segments({ scope, principal, documents }) {
      const sender = senderOf(principal);
      for (const document of documents)
        traces.push({ account: scope.account, region: scope.region, sender, document });
    },
    families: () => [
      {
        name: "thaw_otlp_items",
        type: "counter",
        help: "Segments, log events and metrics that were sent to the collector, or dropped.",
        samples: SIGNALS.flatMap((signal) =>
          Object.entries(exporters[signal].counts).map(([outcome, value]) => ({
            suffix: "_total",
            labels: { signal, outcome },
            value,
          })),
        ),
      },
    ],
    async close() {
      closed = true;
      timer.cancel();
      await pushMetrics().catch((error: unknown) => log.error(error, "OTLP: metrics"));
      await Promise.all([traces.close(), logs.close(), metrics.close()]);
    },
  };
}

/** A role's session is named as its function. */
function senderOf({ kind, arn }: Principal): string {
  return kind === "assumed-role" ? arn.slice(arn.lastIndexOf("/") + 1) : "";
}
