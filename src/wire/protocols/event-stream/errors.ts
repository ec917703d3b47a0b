/** Bytes that are no event-stream message, or a message that cannot be written. The only error that this folder throws. */
export class EventStreamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "EventStreamError";
  }
}
