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

  /** @param folder whose `recordings` hold the file */
  constructor(file: string, scenario: string, folder = import.meta.dirname) {
    const text = readFileSync(join(folder, "recordings", `${file}.json`), "utf8");
    const responses = (JSON.parse(text) as Record<string, Responses>)[scenario];
    if (responses === undefined) throw new Error(`${file}.json has no scenario ${scenario}`);
    this.#responses = responses;
  }

  /** Compares an operation's outcome, result or error, with the response recorded as `step`. */
  async expect(step: string, outcome: Promise<unknown>): Promise<void> {
    const recorded = this.#find(step);
    const actual = await outcome.then(
      (output) => JSON.parse(JSON.stringify(output)) as Json,
      (problem: unknown) => asRecordedError(problem, recorded),
    );
    this.compare(withoutMetadata(recorded), actual, step);
  }

  /** What was recorded, for a call that has to send the same. */
  read(step: string): Json {
    return this.#find(step);
  }

  #find(step: string): Json {
    const recorded = this.#responses[step];
    if (recorded === undefined) throw new Error(`nothing was recorded as ${step}`);
    const inner = recorded as { CreateFunctionResponse?: Json };
    return inner?.CreateFunctionResponse ?? recorded;
  }

  /** Compares a part of a recording with a part of what was answered, or sent. */
  compare(recorded: Json, actual: Json | undefined, path: string): void {
    if (typeof recorded === "string") return this.#compareText(recorded, actual, path);
    if (typeof recorded !== "object" || recorded === null) {
      expect(actual, path).toEqual(recorded);
      return;
    }
    expect(Array.isArray(actual), path).toBe(Array.isArray(recorded));
    expect(Object.keys(actual as object).toSorted(), path).toEqual(Object.keys(recorded).toSorted());
    const members = actual as Record<string, Json>;
    for (const [name, value] of Object.entries(recorded))
      this.compare(value, members[name], `${path}.${name}`);
  }

  #compareText(recorded: string, actual: Json | undefined, path: string): void {
    if (recorded === "datetime") return expect(actual, path).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    if (recorded === "date")
      return expect(actual, path).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+0000$/);
    if (recorded === "code-sha256") return expect(actual, path).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const names: string[] = [];
    const pattern = recorded.replaceAll(/<[a-z][^<>]*>|[^<]+|</g, (part) => {
      if (!/^<.*>$/s.test(part)) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      names.push(part);
      return "([^\\n]*?)";
    });
    const match = new RegExp(`^${pattern}$`, "s").exec(typeof actual === "object" ? "" : String(actual));
    expect(match, `${path}: ${JSON.stringify(actual)} is not ${recorded}`).not.toBeNull();
    for (const [index, name] of names.entries()) this.#bind(name, match?.[index + 1] ?? "", path);
  }

  #bind(name: string, value: string, path: string): void {
    // Without a number it is no more than a value that changes.
    if (!/:\d+>$/.test(name)) return;
    const known = this.#values.get(name);
    if (known !== undefined) return expect(value, `${path}: ${name}`).toBe(known);
    if (name.startsWith("<uuid:"))
      for (const [other, taken] of this.#values)
        if (other.startsWith("<uuid:")) expect(value, `${path}: ${name} is ${other}`).not.toBe(taken);
    this.#values.set(name, value);
  }
}

function withoutMetadata(recorded: Json): Json {
  if (typeof recorded !== "object" || recorded === null || Array.isArray(recorded)) return recorded;
  const { ResponseMetadata: _, ...rest } = recorded;
  if ("Error" in recorded) return { ...rest, Status: statusOf(recorded) ?? null };
  return rest;
}

function statusOf(recorded: Json): number | undefined {
  return (recorded as { ResponseMetadata?: { HTTPStatusCode: number } } | null)?.ResponseMetadata
    ?.HTTPStatusCode;
}

/** The recordings show an error's message under the name that its shape has for it, `Message` or `message`. */
function asRecordedError(problem: unknown, recorded: Json): Json {
  if (!(problem instanceof AwsError)) throw problem;
  const { code, message, status, members } = problem;
  const shape = recorded as Record<string, Json>;
  // Some scenarios kept no more of an error than these two.
  if ("Code" in shape) return { Code: code, Message: message };
  return {
    Error: { Code: code, Message: message },
    ...("Message" in shape ? { Message: message } : {}),
    ...("message" in shape ? { message } : {}),
    ...(members as Record<string, Json>),
    Status: status,
  };
}
