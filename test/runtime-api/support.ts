import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { CodePackage, FunctionSpec } from "#engine/contract";
import type { EngineOptions } from "#engine/options";
import { bubblewrapUsable } from "#engine/sandbox/bubblewrap/usable";
import { bubblewrapHost } from "../conformance/sandbox/support.ts";
import { openBench } from "../engine/support.ts";
import type { Bench } from "../engine/support.ts";

/** Files of an archive, all of them executable. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** The back ends that these tests run with, and why one cannot be tried here. */
export const WALLS: readonly { readonly walls: Walls; readonly missing: string | undefined }[] = [
  { walls: "process", missing: undefined },
  {
    walls: "bubblewrap",
    missing: await bubblewrapUsable().then((use) => (use.usable ? undefined : use.why)),
  },
];

export type Walls = "process" | "bubblewrap";

export interface ApiBench extends Bench {
  readonly walls: Walls;
  /** What has functions of plain processes find the programs that this test's user has; in bubblewrap, AWS's own PATH does. */
  readonly variables: Readonly<Record<string, string>>;
  /** A function of provided.al2023. */
  provided(files: Files, overrides?: Partial<FunctionSpec>): Promise<FunctionSpec>;
  layer(files: Files): Promise<CodePackage>;
  /** All that has been logged so far, system lines too. */
  log(): string;
}

export async function openApiBench(
  walls: Walls = "process",
  options: Partial<EngineOptions> = {},
): Promise<ApiBench> {
  const host = walls === "bubblewrap" ? await bubblewrapHost() : undefined;
  const bench = await openBench({ ...(host === undefined ? {} : { backend: host.backend }), ...options });
  const pack = (files: Files): Promise<CodePackage> =>
    bench.package(Object.entries(files).map(([name, data]) => ({ name, data, mode: 0o100755 })));
  return {
    ...bench,
    walls,
    variables: walls === "process" ? { PATH: process.env["PATH"] ?? "" } : {},
    close: async () => {
      await bench.close();
      await host?.close();
    },
    provided: async (files, overrides = {}) =>
      bench.spec({}, { runtime: "provided.al2023", code: await pack(files), ...overrides }),
    layer: pack,
    log: () => bench.lines.map((line) => line.message).join(""),
  };
}

/** The text of a file in `programs`. */
export function program(name: string): string {
  return readFileSync(new URL(`programs/${name}`, import.meta.url), "utf8");
}

/** Whether a command is on this host's PATH. */
export function has(command: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
