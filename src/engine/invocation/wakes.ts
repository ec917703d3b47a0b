import type { QueueName } from "#storage/documents";

/**
 * When queues are to be looked at again: one entry a queue, whatever it holds, so that ten thousand functions whose
 * events wait for their next try cost one comparison each a second and no look at the storage.
 */
export class Wakes {
  readonly #dues = new Map<string, { readonly queue: QueueName; readonly due: number }>();

  /** @param due epoch milliseconds; an earlier one that is set already stays */
  set(queue: QueueName, due: number): void {
    const key = JSON.stringify(queue);
    const known = this.#dues.get(key);
    if (known === undefined || due < known.due) this.#dues.set(key, { queue, due });
  }

  /** Those that are due, which are forgotten. */
  take(now: number): readonly QueueName[] {
    const taken: QueueName[] = [];
    for (const [key, { queue, due }] of this.#dues) {
      if (due > now) continue;
      this.#dues.delete(key);
      taken.push(queue);
    }
    return taken;
  }
}
