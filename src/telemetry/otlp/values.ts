/** What OTLP's JSON and its binary form have in common once read: nothing of it is trusted. */
export type Fields = Readonly<Record<string, unknown>>;

/** An attribute's value, without its wrapping. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain } | null;

const MOST_NESTED = 16;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map((one) => fieldsOf(one)) : [];
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** 64-bit numbers are texts in JSON. Undefined where it is none. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Ids are bytes in the binary form and hexadecimal digits in JSON. */
export function hexOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return textOf(value).toLowerCase();
}

/** Nanoseconds since the epoch, as seconds; undefined where there is no time. */
export function secondsOf(nanoseconds: unknown): number | undefined {
  const number = numberOf(nanoseconds);
  return number === undefined || number <= 0 ? undefined : Math.round(number / 1000) / 1e6;
}

export function plainOf(value: unknown, depth = 0): Plain {
  const any = fieldsOf(value);
  if (depth > MOST_NESTED) return null;
  if (typeof any["stringValue"] === "string") return any["stringValue"];
  if (typeof any["boolValue"] === "boolean") return any["boolValue"];
  if (any["intValue"] !== undefined) return numberOf(any["intValue"]) ?? null;
  if (any["doubleValue"] !== undefined) return numberOf(any["doubleValue"]) ?? null;
  if (any["arrayValue"] !== undefined)
    return listOf(fieldsOf(any["arrayValue"])["values"]).map((one) => plainOf(one, depth + 1));
  if (any["kvlistValue"] !== undefined)
    return attributesOf(fieldsOf(any["kvlistValue"])["values"], depth + 1);
  const { bytesValue } = any;
  if (bytesValue instanceof Uint8Array) return Buffer.from(bytesValue).toString("base64");
  return typeof bytesValue === "string" ? bytesValue : null;
}

export function attributesOf(list: unknown, depth = 0): { readonly [key: string]: Plain } {
  return Object.fromEntries(
    listOf(list).map(({ key, value }) => [textOf(key), plainOf(value, depth)] as const),
  );
}

/** What OTLP sends as an attribute's value. */
export function anyValue(value: Plain): Fields {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "number":
      return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
    default:
      if (value === null) return {};
      if (Array.isArray(value)) return { arrayValue: { values: value.map((one) => anyValue(one as Plain)) } };
      return { kvlistValue: { values: keyValues(value as { readonly [key: string]: Plain }) } };
  }
}

/** Attributes as OTLP sends them; those without a value are left out. */
export function keyValues(attributes: { readonly [key: string]: Plain | undefined }): readonly Fields[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value: anyValue(value) }],
  );
}

/** Seconds since the epoch as OTLP's JSON has them: nanoseconds, as text. Clocks tell microseconds at best. */
export function nanosecondsOf(seconds: number): string {
  return `${Math.round(seconds * 1e6)}000`;
}
