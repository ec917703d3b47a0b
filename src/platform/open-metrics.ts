import type { Family } from "#telemetry/open-metrics";

/** The platform's own state for `/_thaw/metrics`. */
export function platformFamilies(
  engine: { readonly environments: number; readonly busy: number; readonly running: number },
  eventLoop: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number },
): readonly Family[] {
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
