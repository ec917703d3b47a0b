import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { WireError } from "../../support/sqs-service.ts";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Responses = Record<string, Json>;

const fixed: Readonly<Record<string, string>> = { "<partition>": "aws", "<region>": "us-east-1" };

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

  /** Compares an operation's outcome, result or error, with the response recorded as `step`. */
  async expect(step: string, outcome: Promise<unknown>): Promise<void> {
    const recorded = this.#responses[step];
    if (recorded === undefined) throw new Error(`nothing was recorded as ${step}`);
    const actual = await outcome.then(
      (output) => JSON.parse(JSON.stringify(output)) as Json,
      (problem: unknown) => asRecordedError(problem),
    );
    this.#compare(simplified(recorded), actual, step);
  }

  #compare(recorded: Json, actual: Json | undefined, path: string): void {
    if (typeof recorded === "string") return this.#compareText(recorded, actual, path);
    if (typeof recorded !== "object" || recorded === null) return expect(actual, path).toEqual(recorded);
    // Policies and message bodies that are JSON were recorded as what they say.
    const told = typeof actual === "string" ? (JSON.parse(actual) as Json) : actual;
    expect(Array.isArray(told), path).toBe(Array.isArray(recorded));
    expect(Object.keys(told as object).toSorted(), path).toEqual(Object.keys(recorded).toSorted());
    for (const [name, value] of Object.entries(recorded))
      this.#compare(value, (told as Record<string, Json>)[name], `${path}.${name}`);
  }

  #compareText(recorded: string, actual: Json | undefined, path: string): void {
    // In one scenario it stands for a whole message attribute.
    if (recorded === "timestamp")
      return expect(JSON.stringify(actual), path).toMatch(/^"?\d{10,13}"?$|"DataType":"Number"/);
    if (recorded.startsWith("b'")) return expect(Object.keys(actual ?? {}).length, path).toBeGreaterThan(0);
    const names: string[] = [];
    const pattern = recorded.replaceAll(/<[a-z][^<>]*>|[^<]+|</g, (part) => {
      const known = fixed[part] ?? (/^<.*>$/s.test(part) ? undefined : part);
      if (known !== undefined) return known.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
      names.push(part);
      return "([^\\n]*?)";
    });
    const match = new RegExp(`^${pattern}$`, "s").exec(typeof actual === "object" ? "" : String(actual));
    expect(match, `${path}: ${JSON.stringify(actual)} is not ${recorded}`).not.toBeNull();
    for (const [index, name] of names.entries()) this.#bind(name, match?.[index + 1] ?? "", path);
  }

  #bind(name: string, value: string, path: string): void {
    const known = this.#values.get(name);
    if (known !== undefined) return expect(value, `${path}: ${name}`).toBe(known);
    const kind = name.slice(0, name.indexOf(":") + 1);
    for (const [other, taken] of this.#values)
      if (other.startsWith(kind)) expect(value, `${path}: ${name} is ${other}`).not.toBe(taken);
    this.#values.set(name, value);
  }
}

/** Without what botocore adds, and an error without what only some of its versions show. */
function simplified(recorded: Json): Json {
  if (typeof recorded !== "object" || recorded === null || Array.isArray(recorded)) return recorded;
  const { ResponseMetadata, Error: error, ...rest } = recorded;
  if (typeof error !== "object" || error === null || Array.isArray(error)) return rest;
  const { Detail: _, ...told } = error;
  return { Error: told, Status: (ResponseMetadata as { HTTPStatusCode: number }).HTTPStatusCode };
}

function asRecordedError(problem: unknown): Json {
  if (!(problem instanceof WireError)) throw problem;
  return { Error: { ...problem.error }, Status: problem.status };
}
