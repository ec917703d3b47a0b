import type { EnvironmentView, PrefetchingEnvironment } from "../environment/contract.ts";

/** The environments that serve events now, by their specs. */
export class BusyEnvironments {
  readonly #bySpec = new Map<string, EnvironmentView[]>();

  add(environment: EnvironmentView): void {
    const { specId } = environment;
    const busy = this.#bySpec.get(specId);
    if (busy === undefined) this.#bySpec.set(specId, [environment]);
    else busy.push(environment);
  }

  /** @returns whether it was there */
  remove(environment: EnvironmentView): boolean {
    const { specId } = environment;
    const busy = this.#bySpec.get(specId);
    const at = busy?.indexOf(environment) ?? -1;
    if (busy === undefined || at === -1) return false;
    if (busy.length === 1) this.#bySpec.delete(specId);
    else busy.splice(at, 1);
    return true;
  }

  /** The one that takes events ahead and has the fewest, of those that have less than `room`. */
  least(specId: string, room: number): PrefetchingEnvironment | undefined {
    let least: PrefetchingEnvironment | undefined;
    for (const busy of this.#bySpec.get(specId) ?? []) {
      const environment = busy.prefetching();
      if (environment !== undefined && environment.prefetched < (least?.prefetched ?? room))
        least = environment;
    }
    return least;
  }
}
