import type { CodePackage, FunctionSpec } from "#engine/contract";
import { openBench } from "../engine/support.ts";
import type { Bench } from "../engine/support.ts";

/** Files that are executable: an archive's entry with the mode 0755. */
export type Files = Readonly<Record<string, string | Buffer>>;

export interface ApiBench extends Bench {
  /** A function of provided.al2023 whose package holds `files`, all of them executable. */
  provided(files: Files, overrides?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  layer(files: Files): Promise<CodePackage>;
  /** All that has been logged so far, system lines too. */
  log(): string;
}

export async function openApiBench(): Promise<ApiBench> {
  const bench = await openBench();
  const pack = (files: Files): Promise<CodePackage> =>
    bench.package(Object.entries(files).map(([name, data]) => ({ name, data, mode: 0o100755 })));
  return {
    ...bench,
    provided: async (files, overrides = {}) =>
      bench.spec({}, { runtime: "provided.al2023", code: await pack(files), ...overrides }),
    layer: pack,
    log: () => bench.lines.map((line) => line.message).join(""),
  };
}
