import type { Member } from "../../schema/model.ts";
import { serializationFailure } from "../json/failures.ts";
import { textReader, textWriter } from "./text.ts";

/** A reader of a header's value. Lists are separated by commas; HTTP dates hold one comma each. */
export function headerReader(member: Member): (text: string) => unknown {
  if (member.shape.kind !== "list") return textReader(member, "http-date");
  const element = member.shape.member;
  const read = textReader(element, "http-date");
  const dates =
    element.shape.kind === "timestamp" && (element.traits.timestampFormat ?? "http-date") === "http-date";
  return (text) => (dates ? splitDates(text) : splitList(text)).map(read);
}

/** A writer of a header's value. Elements of a list that hold a comma or a quote are quoted. */
export function headerWriter(member: Member): (value: unknown) => string {
  if (member.shape.kind !== "list") return textWriter(member, "http-date");
  const element = member.shape.member;
  const write = textWriter(element, "http-date");
  const quoted = element.shape.kind === "string";
  return (value) =>
    Array.from(value as Iterable<unknown>, (entry) => (quoted ? quote(write(entry)) : write(entry))).join(
      ", ",
    );
}

function quote(text: string): string {
  return /[",]/.test(text) ? `"${text.replaceAll(/["\\]/g, "\\$&")}"` : text;
}

function splitDates(text: string): string[] {
  const parts = text.split(",");
  const dates: string[] = [];
  for (let index = 0; index + 1 < parts.length; index += 2)
    dates.push(`${parts[index]},${parts[index + 1]}`.trim());
  return dates;
}

function splitList(text: string): string[] {
  if (text.trim() === "") return [];
  const values: string[] = [];
  let rest = text;
  for (;;) {
    const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(,|$)/s.exec(rest);
    if (match === null) throw serializationFailure("Header value is not a list");
    values.push(match[1] === undefined ? (match[2] ?? "").trim() : match[1].replaceAll(/\\(.)/gs, "$1"));
    if (match[3] === "") return values;
    rest = rest.slice(match[0].length);
  }
}
