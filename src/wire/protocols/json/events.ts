import type { PayloadCodec } from "../event-stream/event-stream.ts";
import type { JsonWriters } from "./write.ts";

/** Events as JSON documents. */
export function jsonEvents(writers: JsonWriters): PayloadCodec {
  return {
    contentType: "application/json",
    encode(shape, value, skipped) {
      const shown =
        skipped.size === 0
          ? value
          : Object.fromEntries(Object.entries(value as object).filter(([name]) => !skipped.has(name)));
      return Buffer.from(JSON.stringify(writers.ofShape(shape)(shown)));
    },
  };
}
