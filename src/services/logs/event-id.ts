import { createHash } from "node:crypto";

/** 56 digits, the same for an event whenever it is found. */
export function eventId(event: {
  readonly stream: string;
  readonly timestamp: number;
  readonly sequence: number;
}): string {
  const hash = createHash("sha256").update(event.stream).digest().readBigUInt64BE();
  return `3${String(event.timestamp).padStart(15, "0")}${String(hash).padStart(20, "0")}${String(event.sequence).padStart(20, "0")}`;
}
