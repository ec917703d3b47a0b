import type { Member, Shape, SimpleShape, StructureShape, Traits } from "../../schema/model.ts";
import { fromEpochSeconds, parseTimestamp } from "../rest/timestamps.ts";
import { decodeBase64 } from "./base64.ts";
import { tooDeep, wrongList, wrongMap, wrongScalar, wrongStructure } from "./failures.ts";
import { fitsInteger, specialNumber } from "./numbers.ts";

/** Turns a parsed JSON value into the value that handlers see; throws SerializationException on a wrong type. */
export type JsonReader = (value: unknown, depth: number) => unknown;

/** Enough for any honest document; recursive shapes and free-form documents are cut here, far from the stack's end. */
const maxDepth = 128;

export interface JsonReaderOptions {
  /** rest-json names members by `jsonName`; aws-json does not. */
  readonly jsonName: boolean;
}

/** Makes readers, one a shape, each compiled on its first use (shapes may refer to themselves). */
export class JsonReaders {
  readonly #options: JsonReaderOptions;
  readonly #byShape = new WeakMap<Shape, JsonReader>();

  constructor(options: JsonReaderOptions) {
    this.#options = options;
  }

  /** The reader of `member`'s values. */
  of(member: Member): JsonReader {
    const { shape, traits } = member;
    // Only a timestamp's reader depends on the member's traits.
    if (shape.kind === "timestamp") return timestampReader(traits);
    return this.ofShape(shape);
  }

  ofShape(shape: Shape): JsonReader {
    const known = this.#byShape.get(shape);
    if (known !== undefined) return known;
    let compiled: JsonReader | undefined;
    // Stands in while the shape's own parts are compiled, and compiles them when it is first called.
    const reader: JsonReader = (value, depth) => (compiled ??= this.#compile(shape))(value, depth);
    this.#byShape.set(shape, reader);
    return reader;
  }

  /** A reader of some members of a structure, for a body whose other members travel in headers or the path. */
  members(members: Iterable<Member>): (value: unknown, depth: number) => Record<string, unknown> {
    const readers = new Map<string, { name: string; read: JsonReader }>();
    for (const member of members)
      readers.set(this.#wireName(member), { name: member.name, read: this.of(member) });
    return (value, depth) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongStructure(value);
      if (depth > maxDepth) throw tooDeep();
      const result: Record<string, unknown> = {};
      for (const [key, entry] of Object.entries(value)) {
        if (entry === null) continue;
        const member = readers.get(key);
        if (member !== undefined) result[member.name] = member.read(entry, depth + 1);
      }
      return result;
    };
  }

  #wireName(member: Member): string {
    return (this.#options.jsonName ? member.traits.jsonName : undefined) ?? member.name;
  }

  #compile(shape: Shape): JsonReader {
    switch (shape.kind) {
      case "structure":
      case "union":
        return this.#structure(shape);
      case "list":
        return this.#list(this.of(shape.member), shape.traits.sparse === true);
      case "map":
        return this.#map(this.of(shape.value), shape.traits.sparse === true);
      default:
        return simpleReader(shape);
    }
  }

  #structure(shape: StructureShape): JsonReader {
    return this.members(shape.members.values());
  }

  #list(read: JsonReader, sparse: boolean): JsonReader {
    return (value, depth) => {
      if (!Array.isArray(value)) throw wrongList(value);
      if (depth > maxDepth) throw tooDeep();
      const result: unknown[] = [];
      for (const entry of value) {
        if (entry !== null) result.push(read(entry, depth + 1));
        else if (sparse) result.push(null);
      }
      return result;
    };
  }

  #map(read: JsonReader, sparse: boolean): JsonReader {
    return (value, depth) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongMap(value);
      if (depth > maxDepth) throw tooDeep();
      const entries: [string, unknown][] = [];
      for (const [key, entry] of Object.entries(value)) {
        if (entry !== null) entries.push([wellFormed(key), read(entry, depth + 1)]);
        else if (sparse) entries.push([wellFormed(key), null]);
      }
      // Unlike assignment, fromEntries takes a key named __proto__ for what it is.
      return Object.fromEntries(entries);
    };
  }
}

/** JSON can write half a surrogate pair, which no encoding of Unicode can: storage keys and responses are UTF-8. */
function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

function simpleReader(shape: SimpleShape): JsonReader {
  const { kind } = shape;
  switch (kind) {
    case "string":
      return (value) => {
        if (typeof value !== "string") throw wrongScalar(value, "String");
        return wellFormed(value);
      };
    case "boolean":
      return (value) => {
        if (typeof value !== "boolean") throw wrongScalar(value, "Boolean");
        return value;
      };
    case "byte":
    case "short":
    case "integer":
    case "long": {
      const expected = ({ byte: "Byte", short: "Short", integer: "Integer", long: "Long" } as const)[kind];
      return (value) => {
        if (typeof value !== "number" || !fitsInteger(value, kind)) throw wrongScalar(value, expected);
        return value;
      };
    }
    case "float":
    case "double": {
      const expected = kind === "float" ? "Float" : "Double";
      return (value) => {
        const number = typeof value === "string" ? specialNumber(value) : finiteNumber(value);
        if (number === undefined) throw wrongScalar(value, expected);
        return number;
      };
    }
    case "bigInteger":
    case "bigDecimal":
      return (value) => {
        if (typeof value !== "number")
          throw wrongScalar(value, kind === "bigInteger" ? "BigInteger" : "BigDecimal");
        return value;
      };
    case "blob":
      return (value) => {
        const bytes = typeof value === "string" ? decodeBase64(value) : undefined;
        if (bytes === undefined) throw wrongScalar(value, "Blob");
        return bytes;
      };
    case "timestamp":
      return timestampReader(shape.traits);
    default:
      // A document: JSON of any form.
      return (value, depth) => {
        checkDepth(value, depth);
        return value;
      };
  }
}

/** JSON.parse reads 1e999 as infinity, which its writer did not mean. */
function finiteNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** A number is epoch seconds and a string a date-time, whatever the member's format: AWS's reader takes both. */
function timestampReader(traits: Traits): JsonReader {
  const format = traits.timestampFormat === "http-date" ? "http-date" : "date-time";
  return (value) => {
    const date =
      typeof value === "number"
        ? fromEpochSeconds(value)
        : typeof value === "string"
          ? parseTimestamp(value, format)
          : undefined;
    if (date === undefined) throw wrongScalar(value, "Timestamp");
    return date;
  };
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > maxDepth) throw tooDeep();
  for (const entry of Array.isArray(value) ? value : Object.values(value)) checkDepth(entry, depth + 1);
}
