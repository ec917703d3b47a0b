import type { Member, SimpleShape } from "../../schema/model.ts";
import { decodeBase64 } from "../json/base64.ts";
import { wrongScalar } from "../json/failures.ts";
import { fitsInteger, specialNumber } from "../json/numbers.ts";
import { formatTimestamp, parseTimestamp, type TimestampFormat } from "./timestamps.ts";

const decimal = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,4})?$/;

/** A reader of values that travel as text, in labels, query parameters and headers. Throws SerializationException. */
export function textReader(member: Member, defaultFormat: TimestampFormat): (text: string) => unknown {
  const { shape, traits } = member;
  switch (shape.kind) {
    case "string":
      return traits.mediaType === undefined ? (text) => text : mediaTypeReader;
    case "boolean":
      return (text) => {
        if (text === "true") return true;
        if (text === "false") return false;
        throw wrongScalar(text, "Boolean");
      };
    case "byte":
    case "short":
    case "integer":
    case "long": {
      const { kind } = shape;
      const expected = ({ byte: "Byte", short: "Short", integer: "Integer", long: "Long" } as const)[kind];
      return (text) => {
        const value = decimal.test(text) ? Number(text) : Number.NaN;
        if (!fitsInteger(value, kind)) throw wrongScalar(text, expected);
        return value;
      };
    }
    case "float":
    case "double":
      return (text) => {
        const value = specialNumber(text) ?? (decimal.test(text) ? Number(text) : undefined);
        if (value === undefined) throw wrongScalar(text, "Double");
        return value;
      };
    case "timestamp": {
      const format = traits.timestampFormat ?? defaultFormat;
      return (text) => {
        const date = parseTimestamp(text, format);
        if (date === undefined) throw wrongScalar(text, "Timestamp");
        return date;
      };
    }
    default:
      throw new Error(`a member of kind ${shape.kind} does not travel as text: ${member.name}`);
  }
}

/** The opposite of `textReader`. */
export function textWriter(member: Member, defaultFormat: TimestampFormat): (value: unknown) => string {
  const { shape, traits } = member;
  if (shape.kind === "timestamp") {
    const format = traits.timestampFormat ?? defaultFormat;
    return (value) => formatTimestamp(value as Date, format);
  }
  if (isMediaTypeString(shape as SimpleShape, member))
    return (value) => Buffer.from(String(value), "utf8").toString("base64");
  return String;
}

function isMediaTypeString(shape: SimpleShape, member: Member): boolean {
  return shape.kind === "string" && member.traits.mediaType !== undefined;
}

/** Strings with a media type travel in headers as base64, because JSON is not fit for a header. */
function mediaTypeReader(text: string): string {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw wrongScalar(text, "String");
  return bytes.toString("utf8");
}
