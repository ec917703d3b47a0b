import type { Clock, Timer } from "#core/clock";
import { mergedFolder } from "#engine/code/store";
import type { CodePackage, Engine } from "#engine/contract";
import type { DocumentKey, DocumentPrefix, Documents } from "#storage/documents";
import { registeredScopes } from "./lifecycle.ts";
import type { FunctionRecord, FunctionSettings, LayerVersionRecord, PublishedRecord } from "./records.ts";

const EVERY_MS = 10 * 60_000;

/** So many records are read between two turns of the event loop: some 2 ms. */
const SLICE = 200;

/** Gives back the disk of packages that no function's version and no layer refers to any more. */
export interface CodeUpkeep {
  /** From now on, every ten minutes; nothing goes before it was found unneeded for twenty. */
  start(): void;
  stop(): void;
}

export interface CodeUpkeepOptions {
  readonly documents: Documents;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly onProblem?: ((problem: unknown) => void) | undefined;
}

export function createCodeUpkeep({ documents, engine, clock, onProblem }: CodeUpkeepOptions): CodeUpkeep {
  let timer: Timer | undefined;
  let stopped = false;

  async function run(): Promise<void> {
    await engine.reclaim(await codeFolders(documents));
  }

  function next(): void {
    timer = clock.after(EVERY_MS, () => {
      void run()
        .catch((problem: unknown) => (stopped ? undefined : onProblem?.(problem)))
        .finally(() => {
          if (!stopped) next();
        });
    });
  }

  return {
    start: next,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** The names of all folders of code that records refer to, of every account. */
export async function codeFolders(documents: Documents): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  const keep = ({ blob }: CodePackage): unknown => names.add(blob);
  const keepAll = ({ code, layers = [] }: FunctionSettings): void => {
    keep(code);
    for (const layer of layers) keep(layer.code);
    if (layers.length > 1) names.add(mergedFolder(layers.map((layer) => layer.code.blob)));
  };
  for (const { account, region } of registeredScopes(documents)) {
    // Functions before their versions: what is published meanwhile is a copy of what has been seen.
    await each(documents, [account, region, "function"], (value) => {
      const { settings, serving } = value as FunctionRecord;
      keepAll(settings);
      if (serving !== undefined) keepAll(serving);
    });
    await each(documents, [account, region, "function-version"], (value) =>
      keepAll((value as PublishedRecord).settings),
    );
    await each(documents, [account, region, "layer-version"], (value) =>
      keep((value as LayerVersionRecord).code),
    );
  }
  return names;
}

async function each(
  documents: Documents,
  prefix: DocumentPrefix,
  see: (value: unknown) => void,
): Promise<void> {
  for (let after: DocumentKey | undefined; ;) {
    let count = 0;
    for (const { key, value } of documents.list(prefix, {
      limit: SLICE,
      ...(after === undefined ? {} : { after }),
    })) {
      see(value);
      after = key;
      count++;
    }
    if (count < SLICE) return;
    await new Promise(setImmediate);
  }
}
