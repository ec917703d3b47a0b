import type { Traits } from "../../schema/model.ts";

export type TimestampFormat = NonNullable<Traits["timestampFormat"]>;

const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const httpDate = /^[A-Z][a-z]{2}, (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))? GMT$/;
const decimal = /^-?\d{1,15}(?:\.\d{1,9})?$/;

/** Reads a timestamp's text form; `undefined` where `text` is not of that form or not a real date. */
export function parseTimestamp(text: string, format: TimestampFormat): Date | undefined {
  switch (format) {
    case "date-time":
      return dateTime.test(text) ? realDate(new Date(text)) : undefined;
    case "http-date": {
      const match = httpDate.exec(text);
      if (match === null) return undefined;
      const [, day, month, year, time, fraction] = match;
      const date = new Date(`${day} ${month} ${year} ${time} GMT`);
      if (fraction !== undefined) date.setMilliseconds(Number(`0.${fraction}`) * 1000);
      return realDate(date);
    }
    default:
      return decimal.test(text) ? fromEpochSeconds(Number(text)) : undefined;
  }
}

export function formatTimestamp(date: Date, format: TimestampFormat): string {
  switch (format) {
    case "date-time":
      return date.toISOString().replace(".000Z", "Z");
    case "http-date":
      return date.toUTCString();
    default:
      return String(toEpochSeconds(date));
  }
}

/** `undefined` outside the range of dates. */
export function fromEpochSeconds(seconds: number): Date | undefined {
  return realDate(new Date(Math.round(seconds * 1000)));
}

/** Whole seconds where the date has no fraction, else with milliseconds, as AWS's JSON protocols write them. */
export function toEpochSeconds(date: Date): number {
  return date.getTime() / 1000;
}

function realDate(date: Date): Date | undefined {
  return Number.isNaN(date.getTime()) ? undefined : date;
}
