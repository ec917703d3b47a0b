/** A query that Logs Insights refuses; the message says why, `position` where (characters from its start). */
export class QueryError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.name = "QueryError";
    this.position = position;
  }
}
