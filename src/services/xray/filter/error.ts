/** A filter expression that X-Ray refuses; the message says why. */
export class FilterExpressionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FilterExpressionError";
  }
}
