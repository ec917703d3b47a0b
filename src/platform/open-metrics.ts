import type { EngineStatus } from "#engine/contract";
import type { EventLoopDelay, EventLoopMonitor } from "#telemetry/event-loop";
import type { Family } from "#telemetry/open-metrics";
import type { Drops } from "./drops.ts";
import type { Functions } from "./functions.ts";
import type { OtlpExport } from "./otlp-export.ts";
import type { ServicePart } from "./part.ts";
import type { Traces } from "./traces.ts";

/** All metrics as they are now. */
export type ReadFamilies = () => Promise<readonly Family[]>;

/** What `/_thaw/metrics` shows and the operator's collector gets. */
export function familiesOf(parts: {
  readonly engine: Pick<Functions["engine"], "status">;
  readonly eventLoop: EventLoopMonitor;
  readonly traces: Pick<Traces, "families">;
  readonly drops: Drops;
  readonly neighbours: readonly ServicePart[];
  /** Undefined where there is none, or as long as it is not open. */
  readonly collector: () => Pick<OtlpExport, "families"> | undefined;
}): ReadFamilies {
  const { engine, eventLoop, traces, drops, neighbours, collector } = parts;
  return async () => {
    const others = await Promise.all(neighbours.map(async (part) => (await part.openMetrics?.()) ?? []));
    return [
      ...platformFamilies(engine.status(), eventLoop.read()),
      ...traces.families(),
      ...drops.families(),
      ...(collector()?.families() ?? []),
      ...others.flat(),
    ];
  };
}

/** The platform's own state. */
function platformFamilies(engine: EngineStatus, eventLoop: EventLoopDelay): readonly Family[] {
  const gauge = (name: string, help: string, value: number): Family => ({
    name,
    type: "gauge",
    help,
    samples: [{ suffix: "", labels: {}, value }],
  });
  return [
    gauge("thaw_environments", "Execution environments that there are.", engine.environments),
    gauge("thaw_environments_busy", "Execution environments that serve an event.", engine.busy),
    gauge("thaw_invocations_running", "Invocations under way.", engine.running),
    {
      name: "thaw_event_loop_delay_seconds",
      type: "gauge",
      help: "How much later than it was due work of the main thread began.",
      samples: [
        { suffix: "", labels: { quantile: "0.5" }, value: eventLoop.p50Ms / 1000 },
        { suffix: "", labels: { quantile: "0.99" }, value: eventLoop.p99Ms / 1000 },
        { suffix: "", labels: { quantile: "1" }, value: eventLoop.maxMs / 1000 },
      ],
    },
  ];
}
