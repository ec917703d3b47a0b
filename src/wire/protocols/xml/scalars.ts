import type { Shape, SimpleShape, Traits } from "../../schema/model.ts";
import { decodeBase64 } from "../json/base64.ts";
import { fitsInteger, specialNumber } from "../json/numbers.ts";
import type { IntegerKind } from "../json/numbers.ts";
import { formatTimestamp, parseTimestamp } from "../rest/timestamps.ts";

/** Simple values as text: in XML elements and attributes, and in query parameters. */

const INTEGER = /^[+-]?[0-9]{1,40}$/;
const BIG_INTEGER = /^[+-]?[0-9]{1,1000}$/;
const DECIMAL = /^[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?$/;

export type ScalarValue =
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | Date
  | { readonly string: string };

export function isSimple(shape: Shape): shape is SimpleShape {
  return !["list", "map", "structure", "union"].includes(shape.kind);
}

/** Reads `text` as a value of `shape`, as the official client types it; `undefined` where it is not one. */
export function readScalar(shape: SimpleShape, traits: Traits, text: string): ScalarValue | undefined {
  switch (shape.kind) {
    case "string":
      return text;
    case "boolean":
      return readBoolean(text);
    case "byte":
    case "short":
    case "integer":
    case "long":
      return readInteger(shape.kind, text);
    case "float":
    case "double":
      return readFloat(text);
    case "bigInteger":
      return BIG_INTEGER.test(text) ? BigInt(text.replace("+", "")) : undefined;
    case "bigDecimal":
      return DECIMAL.test(text) ? { string: text } : undefined;
    case "blob":
      return decodeBase64(text);
    case "timestamp":
      return parseTimestamp(text, traits.timestampFormat ?? "date-time");
    default:
      return undefined;
  }
}

/** The boolean of XML Schema 1.1, which AWS names in its own refusal ("boolean must follow xsd1.1 definition"). */
function readBoolean(text: string): boolean | undefined {
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : undefined;
}

function readInteger(kind: IntegerKind, text: string): number | undefined {
  const value = Number(text);
  return INTEGER.test(text) && fitsInteger(value, kind) ? value : undefined;
}

function readFloat(text: string): number | undefined {
  const special = specialNumber(text);
  if (special !== undefined) return special;
  const value = Number(text);
  return DECIMAL.test(text) && Number.isFinite(value) ? value : undefined;
}

/** Writes a handler's value as text. A value of another type is a mistake of ours and throws TypeError. */
export function formatScalar(shape: SimpleShape, traits: Traits, value: unknown): string {
  switch (shape.kind) {
    case "timestamp":
      if (!(value instanceof Date)) throw unwritable(shape, value);
      return formatTimestamp(value, traits.timestampFormat ?? "date-time");
    case "blob":
      return toBytes(shape, value).toString("base64");
    case "bigDecimal":
      return typeof value === "object" && value !== null && "string" in value
        ? String(value.string)
        : formatPrimitive(shape, value);
    default:
      return formatPrimitive(shape, value);
  }
}

function formatPrimitive(shape: SimpleShape, value: unknown): string {
  if (
    typeof value !== "string" &&
    typeof value !== "number" &&
    typeof value !== "boolean" &&
    typeof value !== "bigint"
  )
    throw unwritable(shape, value);
  return String(value);
}

function toBytes(shape: SimpleShape, value: unknown): Buffer {
  if (typeof value === "string") return Buffer.from(value);
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw unwritable(shape, value);
}

function unwritable(shape: SimpleShape, value: unknown): TypeError {
  return new TypeError(`a ${shape.kind} cannot be written from ${typeof value}`);
}
