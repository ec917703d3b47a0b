import { vi } from "vitest";

/**
 * Waits for a condition; fails with the last assertion after a time that only what is broken needs.
 * @param timeout milliseconds; the default is less than a unit test may take
 */
export function until<T>(assertion: () => T | Promise<T>, timeout = 25_000): Promise<T> {
  return vi.waitFor(assertion, { timeout, interval: 20 });
}
