import { serializationFailure } from "../json/failures.ts";
import { fitsInteger } from "../json/numbers.ts";
import { fromEpochSeconds } from "../rest/timestamps.ts";
import { memoise } from "../memo.ts";
import type { Shape, SimpleShape, StructureShape } from "../../schema/model.ts";
import { CborTag } from "./decode.ts";

/** Turns a decoded item into the value that handlers see; throws SerializationException on a wrong type. */
type CborReader = (value: unknown) => unknown;

/** The reader of a shape, compiled on first use. The decoder has limited the depth already. */
export const cborReader: (shape: Shape) => CborReader = memoise((shape: Shape) => {
  let compiled: CborReader | undefined;
  return (value: unknown) => (compiled ??= compile(shape))(value);
});

function compile(shape: Shape): CborReader {
  switch (shape.kind) {
    case "structure":
    case "union":
      return structureReader(shape);
    case "list": {
      const read = cborReader(shape.member.shape);
      const sparse = shape.traits.sparse === true;
      return (value) => {
        if (!Array.isArray(value)) throw wrongType("list");
        const entries: readonly unknown[] = value;
        return entries.flatMap((entry) => (entry !== null ? [read(entry)] : sparse ? [null] : []));
      };
    }
    case "map": {
      const read = cborReader(shape.value.shape);
      const sparse = shape.traits.sparse === true;
      return (value) => {
        if (!(value instanceof Map)) throw wrongType("map");
        const entries: [string, unknown][] = [];
        for (const [key, entry] of value as Map<string, unknown>) {
          if (entry !== null) entries.push([key, read(entry)]);
          else if (sparse) entries.push([key, null]);
        }
        return Object.fromEntries(entries);
      };
    }
    default:
      return simpleReader(shape);
  }
}

function structureReader(shape: StructureShape): CborReader {
  const readers = new Map(
    Array.from(shape.members.values(), (member) => [member.name, cborReader(member.shape)] as const),
  );
  return (value) => {
    if (!(value instanceof Map)) throw wrongType("structure");
    const result: Record<string, unknown> = {};
    for (const [key, entry] of value as Map<string, unknown>) {
      const read = entry === null ? undefined : readers.get(key);
      if (read !== undefined) result[key] = read(entry);
    }
    return result;
  };
}

function simpleReader({ kind }: SimpleShape): CborReader {
  switch (kind) {
    case "string":
      return (value) => {
        if (typeof value !== "string") throw wrongType(kind);
        return value;
      };
    case "boolean":
      return (value) => {
        if (typeof value !== "boolean") throw wrongType(kind);
        return value;
      };
    case "byte":
    case "short":
    case "integer":
    case "long":
      return (value) => {
        const number = typeof value === "bigint" ? Number(value) : value;
        if (typeof number !== "number" || !fitsInteger(number, kind)) throw wrongType(kind);
        return number;
      };
    case "float":
    case "double":
      return (value) => {
        const number = typeof value === "bigint" ? Number(value) : value;
        if (typeof number !== "number") throw wrongType(kind);
        return number;
      };
    case "blob":
      return (value) => {
        if (!Buffer.isBuffer(value)) throw wrongType(kind);
        return value;
      };
    case "timestamp":
      return (value) => {
        const seconds = value instanceof CborTag && value.tag === 1 ? value.value : undefined;
        const date = typeof seconds === "number" ? fromEpochSeconds(seconds) : undefined;
        if (date === undefined) throw wrongType(kind);
        return date;
      };
    default:
      throw new Error(`${kind} has no CBOR form in the services here`);
  }
}

function wrongType(expected: string): Error {
  return serializationFailure(`Unexpected type where a ${expected} belongs`);
}
