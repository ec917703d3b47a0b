const BASIC = /^\d{8}T\d{6}Z$/;

/** Reads ISO 8601's basic form, `20260101T000000Z`, into epoch milliseconds; `undefined` where it is no such date. */
export function parseBasicDate(text: string): number | undefined {
  if (!BASIC.test(text)) return undefined;
  const part = (start: number, end: number): number => Number(text.slice(start, end));
  const [month, day, hour] = [part(4, 6) - 1, part(6, 8), part(9, 11)];
  const time = Date.UTC(part(0, 4), month, day, hour, part(11, 13), part(13, 15));
  // Date.UTC carries a 31st of February over into March; AWS refuses it.
  const date = new Date(time);
  const carried =
    date.getUTCMonth() !== month ||
    date.getUTCDate() !== day ||
    date.getUTCHours() !== hour ||
    part(11, 13) > 59 ||
    part(13, 15) > 59;
  return carried ? undefined : time;
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
