import type { GuestPaths } from "../sandbox/contract.ts";
import type { RuntimeView } from "./view.ts";

/** What the runtimes of one family have in common: how they start, and what their functions find in their environment. */
export interface RuntimeLanguage {
  /** The command line of an environment's first process. */
  command(
    view: RuntimeView,
    memoryMb: number,
  ): { readonly command: string; readonly args: readonly string[] };
  /** The family's own environment variables; a function may replace them. `version` is the runtime's, such as `22`. */
  environment(view: RuntimeView, paths: GuestPaths, version: string): Readonly<Record<string, string>>;
  /**
   * Whether a variable acts when the process starts, so that a function that sets it cannot be given a runtime that has
   * booted already.
   */
  actsAtStart(variable: string): boolean;
  /** Whether its guest can be restored after init (guest/PROTOCOL.md, "SnapStart"). */
  readonly restores?: boolean;
  /** Whether its guest may take events ahead of their turn (guest/PROTOCOL.md, "Prefetched events"). */
  readonly prefetches?: boolean;
}
