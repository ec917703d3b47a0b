import { AwsError } from "#core/errors";
import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Engine, MetricSink } from "#engine/contract";
import type { BatchTarget, PolledRecord } from "#engine/pollers/contract";
import { extendLineage, latestLineage } from "../lineage.ts";
import { countOne } from "../metrics.ts";
import type { FunctionName } from "../names.ts";
import type { Resolver } from "../resolver.ts";
import type { LambdaStore } from "../store.ts";
import { traceOfBatch } from "./batch-trace.ts";

export interface TargetOptions {
  readonly store: LambdaStore;
  readonly resolver: Resolver;
  readonly engine: Pick<Engine, "invoke">;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: () => number;
  readonly metrics: MetricSink | undefined;
}

/** A mapping's function, which each batch invokes as it is then. */
export function createTarget(options: TargetOptions, name: FunctionName): BatchTarget {
  const { store, resolver, engine, clock, ids, random, metrics } = options;

  function closesLoop({ traceHeader }: PolledRecord): boolean {
    try {
      extendLineage(store, name, name.name, traceHeader);
      return false;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      countOne(metrics, name, name.name, "RecursiveInvocationsDropped", clock.now());
      return true;
    }
  }

  return {
    admit(records) {
      const admitted = records.filter((record) => !closesLoop(record));
      return { admitted, stopped: records.length - admitted.length };
    },

    async invoke(records, payload) {
      const { spec, alternative, invokedArn } = resolver.resolveName(name);
      const headers = records.map(({ traceHeader }) => traceHeader);
      // One chain stands for a batch of many: the one that has come here most often.
      const trace = traceOfBatch(headers, latestLineage(store, name, name.name, headers));
      const result = await engine.invoke({
        spec: alternative !== undefined && random() < alternative.share ? alternative.spec : spec,
        requestId: ids.uuid(),
        invokedArn,
        payload,
        clientContext: undefined,
        traceHeader: trace.header,
        traceLinks: trace.links,
        tail: false,
      });
      return result;
    },
  };
}
