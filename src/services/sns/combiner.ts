interface Waiting<Request, Answer> {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does the requests of each key in the order of their coming, those together that have come while others were done: so
 * each sees what those before it did, and many of them share one commit.
 */
export class Combiner<Request, Answer> {
  readonly #waiting = new Map<string, Waiting<Request, Answer>[]>();
  readonly #most: number;
  readonly #perform: (requests: readonly Request[]) => Promise<readonly Answer[]>;

  /** @param perform answers requests of one key, in their order @param most requests that are done together */
  constructor(most: number, perform: (requests: readonly Request[]) => Promise<readonly Answer[]>) {
    this.#most = most;
    this.#perform = perform;
  }

  run(key: string, request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const own = { request, resolve, reject };
      const waiting = this.#waiting.get(key);
      if (waiting !== undefined) {
        waiting.push(own);
        return;
      }
      const line = [own];
      this.#waiting.set(key, line);
      void this.#work(key, line);
    });
  }

  async #work(key: string, line: Waiting<Request, Answer>[]): Promise<void> {
    while (line.length > 0) {
      const together = line.splice(0, this.#most);
      try {
        const answers = await this.#perform(together.map(({ request }) => request));
        for (const [index, { resolve }] of together.entries()) resolve(answers[index] as Answer);
      } catch (error) {
        for (const { reject } of together) reject(error);
      }
    }
    this.#waiting.delete(key);
  }
}
