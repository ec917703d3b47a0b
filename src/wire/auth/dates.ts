const BASIC = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;

/** Reads ISO 8601's basic form, `20260101T000000Z`, into epoch milliseconds; `undefined` where it is no such date. */
export function parseBasicDate(text: string): number | undefined {
  const match = BASIC.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match.map(Number) as [
    number,
    ...[number, number, number, number, number, number],
  ];
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC carries a 31st of February over into March; AWS refuses it.
  return formatBasicDate(time) === text ? time : undefined;
}

/** Writes epoch milliseconds in ISO 8601's basic form, `20260101T000000Z`. */
export function formatBasicDate(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
}

/** Writes epoch milliseconds as S3 does in its errors, `2026-01-01T00:00:00Z`. */
export function formatExtendedDate(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

/**
 * The moment of signing: `X-Amz-Date`, else `Date`, which may be an HTTP date as well (AWS General Reference, "Date
 * handling in Signature Version 4").
 */
export function signingTime(text: string): number | undefined {
  const basic = parseBasicDate(text);
  if (basic !== undefined) return basic;
  if (!/^(?:[A-Z][a-z]{2}, |\d{4}-\d\d-\d\dT)/.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
