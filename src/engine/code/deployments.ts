/** Keeps the storing of code and the giving back of its room apart: the same bytes may be deployed again at any moment. */
export class Deployments {
  #underWay = 0;
  #excluding: Promise<void> | undefined;

  /** What is stored and unpacked within `work` is there when it has resolved. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    // oxlint-disable-next-line no-await-in-loop
    while (this.#excluding !== undefined) await this.#excluding;
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
    }
  }

  /** Runs `work` while nothing is deployed. @returns false where something is just now: a large image may take minutes */
  async without(work: () => Promise<void>): Promise<boolean> {
    if (this.#underWay > 0 || this.#excluding !== undefined) return false;
    const done = work();
    this.#excluding = done.then(
      () => undefined,
      () => undefined,
    );
    try {
      await done;
      return true;
    } finally {
      this.#excluding = undefined;
    }
  }
}
