/** Plain values for comparison: bytes as hexadecimal text whatever their class, `undefined` members left out. */
export function normalise(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString("hex")}`;
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([name, entry]) => [name, normalise(entry)]),
    );
  return value;
}

/**
 * Without empty lists, maps and structures: neither query requests nor XML responses can tell them from what is not
 * there.
 */
export function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty).filter((entry) => !isEmpty(entry));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .map(([name, entry]) => [name, withoutEmpty(entry)] as const)
        .filter(([, entry]) => !isEmpty(entry)),
    );
  return value;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
