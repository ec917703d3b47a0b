import type { Metric } from "../data/metric.ts";
import { TextReader } from "../text-reader.ts";
import { MathError } from "./tokens.ts";

/** A search expression, parsed (user guide, "CloudWatch search expression syntax"). */
export interface Search {
  /** `{AWS/Lambda,FunctionName}`: namespace and just these dimensions. */
  readonly schema: { readonly namespace: string; readonly dimensions: readonly string[] } | undefined;
  readonly matches: (metric: Metric) => boolean;
}

type Test = (metric: Metric) => boolean;

/** AWS's limit on results. */
export const MAX_RESULTS = 500;

const MAX_DEPTH = 50;

/** @throws MathError */
export function parseSearch(text: string): Search {
  const parser = new SearchParser(text);
  const schema = parser.schema();
  const test = parser.or(0);
  parser.end();
  return { schema, matches: (metric) => fits(metric, schema) && test(metric) };
}

function fits({ namespace, dimensions }: Metric, schema: Search["schema"]): boolean {
  if (schema === undefined) return true;
  if (schema.namespace !== namespace) return false;
  const names = dimensions.map(([name]) => name);
  return names.length === schema.dimensions.length && schema.dimensions.every((name) => names.includes(name));
}

class SearchParser {
  readonly #reader: TextReader;

  constructor(text: string) {
    this.#reader = new TextReader(text);
  }

  schema(): Search["schema"] {
    if (this.#reader.take(/\{/y) === undefined) return undefined;
    const parts: string[] = [];
    do {
      const part = this.#reader.take(/"[^"]*"|[^,{}"]+/y);
      if (part === undefined) throw this.#error("expected a namespace or a dimension");
      parts.push(part.trim().replaceAll(/^"|"$/g, ""));
    } while (this.#reader.take(/,/y) !== undefined);
    if (this.#reader.take(/\}/y) === undefined) throw this.#error("expected }");
    const [namespace = "", ...dimensions] = parts;
    return { namespace, dimensions };
  }

  or(depth: number): Test {
    const tests = [this.#and(depth)];
    while (this.#reader.take(/OR(?=[\s("])/y) !== undefined) tests.push(this.#and(depth));
    return (metric) => tests.some((test) => test(metric));
  }

  end(): void {
    if (!this.#reader.atEnd) throw this.#error("unexpected text");
  }

  /** Terms side by side are joined by AND. */
  #and(depth: number): Test {
    const tests: Test[] = [];
    for (;;) {
      this.#reader.take(/AND(?=[\s("])/y);
      if (this.#reader.atEnd || /^(?:\)|OR(?=[\s("]))/.test(this.#reader.rest)) break;
      tests.push(this.#not(depth));
    }
    return (metric) => tests.every((test) => test(metric));
  }

  #not(depth: number): Test {
    if (depth > MAX_DEPTH) throw this.#error("it is nested too deeply");
    if (this.#reader.take(/NOT(?=[\s("])/y) !== undefined) {
      const test = this.#not(depth + 1);
      return (metric) => !test(metric);
    }
    if (this.#reader.take(/\(/y) !== undefined) {
      const test = this.or(depth + 1);
      if (this.#reader.take(/\)/y) === undefined) throw this.#error("expected )");
      return test;
    }
    return this.#term(depth);
  }

  /** A token, an exact phrase, or either of one property: `MetricName="Errors"`, `FunctionName=(a OR b)`. */
  #term(depth: number): Test {
    const property = this.#reader.take(/(?:"[^"]*"|:?[A-Za-z0-9_./-]+)\s*=/y);
    if (property === undefined) return this.#words(everything, depth);
    const name = property.slice(0, -1).trim().replaceAll(/^"|"$/g, "");
    return this.#words((metric) => propertyOf(metric, name), depth);
  }

  #words(textsOf: (metric: Metric) => readonly string[], depth: number): Test {
    if (depth > MAX_DEPTH) throw this.#error("it is nested too deeply");
    if (this.#reader.take(/\(/y) !== undefined) {
      const tests: Test[] = [];
      do tests.push(this.#words(textsOf, depth + 1));
      while (this.#reader.take(/OR(?=[\s("])/y) !== undefined);
      if (this.#reader.take(/\)/y) === undefined) throw this.#error("expected )");
      return (metric) => tests.some((test) => test(metric));
    }
    const phrase = this.#reader.take(/"[^"]*"/y);
    if (phrase !== undefined) {
      const wanted = phrase.slice(1, -1);
      return (metric) => textsOf(metric).includes(wanted);
    }
    const word = this.#reader.take(/[^\s"()=]+/y);
    if (word === undefined) throw this.#error("expected a word or a phrase");
    const wanted = tokensOf(word);
    return (metric) => {
      const found = new Set(textsOf(metric).flatMap(tokensOf));
      return wanted.every((token) => found.has(token));
    };
  }

  #error(message: string): MathError {
    return new MathError(
      `The search expression cannot be read at position ${this.#reader.at + 1}: ${message}`,
    );
  }
}

function everything({ namespace, name, dimensions }: Metric): readonly string[] {
  return [namespace, name, ...dimensions.flat()];
}

function propertyOf({ namespace, name, dimensions }: Metric, property: string): readonly string[] {
  if (property === "MetricName") return [name];
  if (property === "Namespace") return [namespace];
  return dimensions.flatMap(([dimension, value]) => (dimension === property ? [value] : []));
}

/** Words of a name, in lower case: divided at punctuation, at capitals, and between letters and digits. */
function tokensOf(text: string): readonly string[] {
  const whole = text.split(/[^A-Za-z0-9]+/).filter((part) => part !== "");
  const parts = whole.flatMap((part) => part.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []);
  return [...new Set([...whole, ...parts].map((part) => part.toLowerCase()))];
}
