import type { ControlOptions } from "#server/control";
import { publishedAt } from "#services/iam/token-issuer";
import type { DownloadLinks } from "#services/lambda/download-links";
import type { EventLoopMonitor } from "#telemetry/event-loop";
import { writeOpenMetrics } from "#telemetry/open-metrics";
import type { UsageStore } from "#telemetry/usage/store";
import type { Functions } from "./functions.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { ReadFamilies } from "./open-metrics.ts";
import type { ServicePart } from "./part.ts";
import type { Permissions } from "./permissions.ts";
import type { Shared } from "./shared.ts";
import { readUsage } from "./usage.ts";

/** What is told and done below `/_thaw/`. */
export function createControls(
  { config, installation, storage, clock }: Shared,
  parts: {
    readonly lifecycle: Pick<Lifecycle, "closing" | "reset">;
    readonly engine: Pick<Functions["engine"], "status">;
    readonly eventLoop: EventLoopMonitor;
    readonly links: DownloadLinks;
    readonly families: ReadFamilies;
    readonly billed: UsageStore;
    readonly permissions: Pick<Permissions, "report">;
    readonly neighbours: readonly ServicePart[];
  },
): ControlOptions {
  const { lifecycle, engine, eventLoop, links, families, billed, permissions, neighbours } = parts;
  const { version } = installation;
  return {
    version,
    health: () => ({
      status: lifecycle.closing ? "draining" : "ready",
      version,
      ...engine.status(),
      eventLoopDelayMs: eventLoop.read(),
    }),
    reset: config.allowReset ? () => lifecycle.reset() : undefined,
    download(path, query) {
      const blob = links.verify(path, query);
      return blob === undefined ? undefined : storage.blobs.open(blob);
    },
    metrics: async () => writeOpenMetrics(await families()),
    issuer: (path) => publishedAt(storage.documents, path),
    cost: (query) => readUsage(billed, query, clock.now()),
    permissions: () => permissions.report(),
    outbox: () => neighbours.flatMap((part) => part.outbox?.() ?? []),
  };
}
