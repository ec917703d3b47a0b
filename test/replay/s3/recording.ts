import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { AwsError } from "../../../src/core/errors.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Responses = Record<string, Json>;

/** The recorded responses of one scenario, with the values that its placeholders have turned out to stand for. */
export class Recording {
  readonly #responses: Responses;
  readonly #values = new Map<string, string>();

  constructor(file: string, scenario: string) {
    const text = readFileSync(join(import.meta.dirname, "recordings", `${file}.json`), "utf8");
    const responses = (JSON.parse(text) as Record<string, Responses>)[scenario];
    if (responses === undefined) throw new Error(`${file}.json has no scenario ${scenario}`);
    this.#responses = responses;
  }

  /** Compares an operation's outcome, output or error, with the response recorded as `step`; resolves with the output. */
  async expect<T>(step: string, outcome: Promise<T>): Promise<T> {
    const recorded = this.read(step);
    let output: T | undefined;
    const actual = await outcome.then(
      (value) => {
        output = value;
        return JSON.parse(JSON.stringify(value)) as Json;
      },
      (problem: unknown) => asRecordedError(problem, recorded),
    );
    this.compare(expected(recorded), actual, step);
    return output as T;
  }

  /** What was recorded, for a call that has to send the same. */
  read(step: string): Json {
    const recorded = this.#responses[step];
    if (recorded === undefined) throw new Error(`nothing was recorded as ${step}`);
    return recorded;
  }

  /** Compares a part of a recording with a part of what was answered, or sent. */
  compare(recorded: Json, actual: Json | undefined, path: string): void {
    if (typeof recorded === "string") return this.#compareText(recorded, actual, path);
    if (typeof recorded !== "object" || recorded === null) {
      // The official client reads markers as texts that this recording's client read as numbers.
      const same = typeof recorded === "number" && typeof actual === "string" ? Number(actual) : actual;
      expect(same ?? null, path).toEqual(recorded);
      return;
    }
    expect(Array.isArray(actual), path).toBe(Array.isArray(recorded));
    expect(Object.keys(actual as object).toSorted(), path).toEqual(Object.keys(recorded).toSorted());
    const members = actual as Record<string, Json>;
    for (const [name, value] of Object.entries(recorded))
      this.compare(value, members[name], `${path}.${name}`);
  }

  #compareText(recorded: string, actual: Json | undefined, path: string): void {
    if (recorded === "datetime" || recorded === "date")
      return expect(actual, path).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    if (recorded === "bucket" && path.endsWith(".Bucket")) return;
    if (
      /^(?:i-d|owner-id|display-name|amz-id|amz-request-id|sequencer|version-id|continuation-token)$/.test(
        recorded,
      )
    )
      return expect(actual, path).toMatch(/./);
    const names: string[] = [];
    const pattern = recorded.replaceAll(/<[A-Za-z][^<>]*>|[^<]+|</g, (part) => {
      if (!/^<.*>$/s.test(part)) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      names.push(part);
      return "([^\\n]*?)";
    });
    const match = new RegExp(`^${pattern}$`, "s").exec(
      typeof actual === "object" ? JSON.stringify(actual) : String(actual),
    );
    expect(match, `${path}: ${JSON.stringify(actual)} is not ${recorded}`).not.toBeNull();
    for (const [index, name] of names.entries()) this.#bind(name, match?.[index + 1] ?? "", path);
  }

  #bind(name: string, value: string, path: string): void {
    // Without a number it is no more than a value that changes.
    if (!/:\d+>$/.test(name)) return;
    const known = this.#values.get(name);
    if (known !== undefined) return expect(value, `${path}: ${name}`).toBe(known);
    this.#values.set(name, value);
  }
}

function expected(recorded: Json): Json {
  if (typeof recorded !== "object" || recorded === null || Array.isArray(recorded)) return recorded;
  const { ResponseMetadata: metadata, ...rest } = recorded;
  if (!("Error" in recorded)) return rest;
  const { HTTPStatusCode: status } = (metadata ?? {}) as { HTTPStatusCode?: number };
  // What the client repeats of an error beside it.
  return { Error: recorded["Error"] ?? null, ...(status === undefined ? {} : { Status: status }) };
}

/** Answers to HEAD have no body: the client makes a code of the status, and a message of its name. */
const HEAD_CODE = /^\d{3}$/;

function asRecordedError(problem: unknown, recorded: Json): Json {
  if (!(problem instanceof AwsError)) throw problem;
  const { code, message, status, members } = problem;
  const { Error: shape, ResponseMetadata: metadata } = recorded as {
    Error?: { Code?: string; Message?: string };
    ResponseMetadata?: Json;
  };
  const shown = metadata === undefined ? {} : { Status: status };
  if (HEAD_CODE.test(shape?.Code ?? ""))
    return { Error: { Code: String(status), Message: shape?.Message ?? "" }, ...shown };
  return { Error: { Code: code, Message: message, ...(members as Record<string, Json>) }, ...shown };
}
