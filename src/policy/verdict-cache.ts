import { Doorkeeper } from "#core/doorkeeper";
import type { Verdict } from "./verdict.ts";

/** Questions longer than this are worked out each time: their answers would take the room of many others. */
const LONGEST = 1024;

/**
 * Answers of all policy sets, by question. A changed policy makes a new set with a new id, so that the old answers are
 * never found again; they go when the cache is full and starts anew. What is asked for once, such as about a log stream
 * that an environment begins, is not kept.
 */
export class VerdictCache {
  readonly #capacity: number;
  readonly #verdicts = new Map<string, Verdict>();
  readonly #asked = new Doorkeeper();
  #sets = 0;

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  nextId(): string {
    return String(this.#sets++);
  }

  get(question: string): Verdict | undefined {
    return this.#verdicts.get(question);
  }

  set(question: string, verdict: Verdict): void {
    if (question.length > LONGEST || !this.#asked.admits(question)) return;
    if (this.#verdicts.size >= this.#capacity) this.#verdicts.clear();
    this.#verdicts.set(question, verdict);
  }

  get size(): number {
    return this.#verdicts.size;
  }
}
