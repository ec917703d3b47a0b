import type { Member, Shape, SimpleShape } from "../../schema/model.ts";
import { formatTimestamp, toEpochSeconds } from "../rest/timestamps.ts";

/** Turns a handler's value into what JSON.stringify writes. */
export type JsonWriter = (value: unknown) => unknown;

/** Makes writers, one a shape, each compiled on its first use. */
export class JsonWriters {
  readonly #jsonName: boolean;
  readonly #byShape = new WeakMap<Shape, JsonWriter>();

  constructor(options: { readonly jsonName: boolean }) {
    this.#jsonName = options.jsonName;
  }

  of(member: Member): JsonWriter {
    if (member.shape.kind === "timestamp") return timestampWriter(member.traits.timestampFormat);
    return this.ofShape(member.shape);
  }

  ofShape(shape: Shape): JsonWriter {
    const known = this.#byShape.get(shape);
    if (known !== undefined) return known;
    let compiled: JsonWriter | undefined;
    const writer: JsonWriter = (value) => (compiled ??= this.#compile(shape))(value);
    this.#byShape.set(shape, writer);
    return writer;
  }

  /** A writer of some members of a structure; `undefined` and `null` members are left out. */
  members(members: Iterable<Member>): (value: object) => Record<string, unknown> {
    const writers = Array.from(members, (member) => ({
      name: member.name,
      wireName: (this.#jsonName ? member.traits.jsonName : undefined) ?? member.name,
      write: this.of(member),
    }));
    return (value) => {
      const source = value as Readonly<Record<string, unknown>>;
      const result: Record<string, unknown> = {};
      for (const { name, wireName, write } of writers) {
        const entry = source[name];
        if (entry !== undefined && entry !== null) result[wireName] = write(entry);
      }
      return result;
    };
  }

  #compile(shape: Shape): JsonWriter {
    switch (shape.kind) {
      case "structure":
      case "union": {
        const write = this.members(shape.members.values());
        return (value) => write(value as object);
      }
      case "list": {
        const write = this.of(shape.member);
        const sparse = shape.traits.sparse === true;
        return (value) => {
          const result: unknown[] = [];
          for (const entry of value as Iterable<unknown>) {
            if (entry !== undefined && entry !== null) result.push(write(entry));
            else if (sparse) result.push(null);
          }
          return result;
        };
      }
      case "map": {
        const write = this.of(shape.value);
        const sparse = shape.traits.sparse === true;
        return (value) => {
          const entries: [string, unknown][] = [];
          for (const [key, entry] of Object.entries(value as object)) {
            if (entry !== undefined && entry !== null) entries.push([key, write(entry)]);
            else if (sparse) entries.push([key, null]);
          }
          return Object.fromEntries(entries);
        };
      }
      default:
        return simpleWriter(shape);
    }
  }
}

function simpleWriter(shape: SimpleShape): JsonWriter {
  switch (shape.kind) {
    case "blob":
      return (value) => bytesOf(value).toString("base64");
    case "timestamp":
      return timestampWriter(shape.traits.timestampFormat);
    case "float":
    case "double":
      return (value) => (Number.isFinite(value) ? value : String(value));
    case "bigInteger":
    case "bigDecimal":
      return Number;
    default:
      return (value) => value;
  }
}

function timestampWriter(format: "date-time" | "http-date" | "epoch-seconds" = "epoch-seconds"): JsonWriter {
  if (format === "epoch-seconds") return (value) => toEpochSeconds(value as Date);
  return (value) => formatTimestamp(value as Date, format);
}

function bytesOf(value: unknown): Buffer {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  const { buffer, byteOffset, byteLength } = value as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}
