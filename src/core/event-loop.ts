/**
 * Calls back once all that can be read now has been read: first in the turn of the event loop that runs, then in one whole
 * turn more. Timers come first in a turn: where one waits for what is told by a socket, a process that was busy, or stopped,
 * for longer than that has it to read still.
 */
export function afterReading(then: () => void): void {
  setImmediate(() => setImmediate(then));
}
