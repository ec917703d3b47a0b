import { memoise } from "../memo.ts";
import { toEpochSeconds } from "../rest/timestamps.ts";
import type { Shape } from "../../schema/model.ts";
import { CborTag } from "./decode.ts";

type CborWriter = (value: unknown) => unknown;

/** The writer of a shape's values into what `encodeCbor` takes, compiled on first use. */
export const cborWriter: (shape: Shape) => CborWriter = memoise((shape: Shape) => {
  let compiled: CborWriter | undefined;
  return (value: unknown) => (compiled ??= compile(shape))(value);
});

function compile(shape: Shape): CborWriter {
  switch (shape.kind) {
    case "structure":
    case "union": {
      const writers = Array.from(shape.members.values(), (member) => ({
        name: member.name,
        write: cborWriter(member.shape),
      }));
      return (value) => {
        const source = value as Readonly<Record<string, unknown>>;
        const result = new Map<string, unknown>();
        for (const { name, write } of writers) {
          const entry = source[name];
          if (entry !== undefined && entry !== null) result.set(name, write(entry));
        }
        return result;
      };
    }
    case "list": {
      const write = cborWriter(shape.member.shape);
      return (value) => Array.from(value as Iterable<unknown>, write);
    }
    case "map": {
      const write = cborWriter(shape.value.shape);
      return (value) => new Map(Object.entries(value as object).map(([key, entry]) => [key, write(entry)]));
    }
    case "timestamp":
      return (value) => new CborTag(1, toEpochSeconds(value as Date));
    case "blob":
      return (value) => (typeof value === "string" ? Buffer.from(value, "utf8") : value);
    default:
      return (value) => value;
  }
}
