import { readPageToken as read } from "../page-token.ts";
import { logsErrors } from "./errors.ts";

export { writePageToken } from "../page-token.ts";

/** A place in a log stream: events are ordered by timestamp, then by sequence. */
export interface Position {
  /** Epoch milliseconds. */
  readonly timestamp: number;
  /** A journal sequence; -1 is before all events of the timestamp. */
  readonly sequence: number;
}

export interface StreamToken {
  readonly direction: "forward" | "backward";
  readonly position: Position;
}

const STREAM_TOKEN = /^([fb])\/3(\d{16})(\d{39})\/s$/;

/** GetLogEvents' tokens, in AWS's form: `f/` or `b/`, 56 digits, `/s`. A forward token stands after, a backward one before its position. */
export function writeStreamToken(token: StreamToken): string {
  const time = String(token.position.timestamp).padStart(16, "0");
  const sequence = String(token.position.sequence + 1).padStart(39, "0");
  return `${token.direction === "forward" ? "f" : "b"}/3${time}${sequence}/s`;
}

/** @throws AwsError InvalidParameterException */
export function readStreamToken(text: string): StreamToken {
  const match = STREAM_TOKEN.exec(text);
  if (match === null) throw logsErrors.invalidToken();
  const timestamp = Number(match[2]);
  const sequence = Number(match[3]) - 1;
  if (!Number.isSafeInteger(timestamp) || !Number.isSafeInteger(sequence)) throw logsErrors.invalidToken();
  return { direction: match[1] === "f" ? "forward" : "backward", position: { timestamp, sequence } };
}

/** Tokens of the other operations. @param shape the types of the token's parts @throws AwsError InvalidParameterException */
export function readPageToken<const Shape extends readonly ("string" | "number")[]>(
  text: string,
  shape: Shape,
) {
  return read(text, shape, logsErrors.invalidToken);
}

/** PutLogEvents' next sequence token: 56 digits. AWS accepts any since 2023; clients of before still pass it on. */
export function sequenceToken(nextSequence: number): string {
  return `4${String(nextSequence).padStart(55, "0")}`;
}
