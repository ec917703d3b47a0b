import type { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { openLocalStorage } from "#storage/local/open";
import type { Storage } from "#storage/storage";

export interface BackEnd {
  readonly name: string;
  readonly open: (clock: ManualClock) => Promise<Storage>;
}

/** Every suite of this folder runs over each of these. */
export const backEnds: readonly BackEnd[] = [
  {
    name: "local",
    open: (clock) => openLocalStorage({ folder: "", clock, ids: systemIds, ephemeral: true }),
  },
];

export const at = (...rest: string[]): [string, string, string, ...string[]] => {
  const [kind = "kind", ...more] = rest;
  return ["000000000000", "us-east-1", kind, ...more];
};
