import type { Family } from "#telemetry/open-metrics";

export type DroppedKind = "log lines" | "metric values" | "segments";

/** Counts what the platform had to drop of functions' telemetry, as memory had no room for it or nobody would take it. */
export class Drops {
  readonly #counts: Record<DroppedKind, number> = { "log lines": 0, "metric values": 0, segments: 0 };

  add(kind: DroppedKind, count: number): void {
    this.#counts[kind] += count;
  }

  families(): readonly Family[] {
    return [
      {
        name: "thaw_telemetry_dropped",
        type: "counter",
        help: "Log lines, values of metrics and segments of traces that the platform had to drop.",
        samples: Object.entries(this.#counts).map(([kind, value]) => ({
          suffix: "_total",
          labels: { kind },
          value,
        })),
      },
    ];
  }
}
