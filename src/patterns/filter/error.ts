/** A filter pattern that CloudWatch Logs refuses, or that is not supported here; the message says which. */
export class FilterPatternError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FilterPatternError";
  }
}
