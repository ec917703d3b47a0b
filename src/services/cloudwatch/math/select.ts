import type { Metric } from "../data/metric.ts";
import { TextReader } from "../text-reader.ts";
import { MathError } from "./tokens.ts";

export type SelectFunction = "AVG" | "COUNT" | "MAX" | "MIN" | "SUM";

/** A query of Metrics Insights, parsed (user guide, "Metrics Insights query components and syntax"). */
export interface Select {
  readonly function: SelectFunction;
  readonly name: string;
  readonly namespace: string;
  /** Of metrics with just these dimensions; undefined for those with any. */
  readonly schema: readonly string[] | undefined;
  readonly where: readonly { readonly label: string; readonly is: boolean; readonly value: string }[];
  readonly groupBy: readonly string[];
  readonly orderBy: { readonly function: SelectFunction; readonly descending: boolean } | undefined;
  /** Series at most. */
  readonly limit: number;
}

/** AWS's limit on series. */
const MOST_SERIES = 500;

const SELECT = /SELECT(?!\w)/iy;
const FUNCTION = /(?:AVG|COUNT|MAX|MIN|SUM)(?=\s*\()/iy;

export function isSelect(expression: string): boolean {
  return new TextReader(expression).take(SELECT) !== undefined;
}

/** @throws MathError */
export function parseSelect(text: string): Select {
  return new SelectParser(text).parse();
}

/** Whether a metric is one of those that a query is about. */
export function selects(query: Select, { namespace, name, dimensions }: Metric): boolean {
  if (namespace !== query.namespace || name !== query.name) return false;
  const labels = new Map(dimensions);
  const { schema, where, groupBy } = query;
  if (schema !== undefined && (labels.size !== schema.length || !schema.every((label) => labels.has(label))))
    return false;
  if (!groupBy.every((label) => labels.has(label))) return false;
  return where.every(({ label, is, value }) => {
    const found = labels.get(label);
    return found !== undefined && (found === value) === is;
  });
}

class SelectParser {
  readonly #reader: TextReader;

  constructor(text: string) {
    this.#reader = new TextReader(text);
  }

  parse(): Select {
    this.#expect(SELECT, "SELECT");
    const aggregate = this.#function();
    this.#expect(/\(/y, "(");
    const name = this.#identifier("the name of a metric");
    this.#expect(/\)/y, ")");
    this.#expect(/FROM(?!\w)/iy, "FROM");
    const from = this.#from();
    const where = this.#take(/WHERE(?!\w)/iy) ? this.#conditions() : [];
    const groupBy = this.#take(/GROUP\s+BY(?!\w)/iy) ? this.#identifiers() : [];
    const orderBy = this.#take(/ORDER\s+BY(?!\w)/iy) ? this.#order() : undefined;
    const limit = this.#take(/LIMIT(?!\w)/iy) ? this.#limit() : MOST_SERIES;
    if (!this.#reader.atEnd) throw this.#error("unexpected text");
    return { function: aggregate, name, ...from, where, groupBy, orderBy, limit };
  }

  #from(): Pick<Select, "namespace" | "schema"> {
    if (!this.#take(/SCHEMA(?=\s*\()/iy))
      return { namespace: this.#identifier("a namespace"), schema: undefined };
    this.#expect(/\(/y, "(");
    const [namespace = "", ...schema] = this.#identifiers();
    this.#expect(/\)/y, ")");
    return { namespace, schema };
  }

  #conditions(): Select["where"] {
    const conditions: Select["where"][number][] = [];
    do {
      const label = this.#identifier("a label");
      const operator = this.#reader.take(/!?=/y);
      if (operator === undefined) throw this.#error("expected = or !=");
      const value = this.#reader.take(/'(?:[^'\\]|\\.)*'/y);
      if (value === undefined) throw this.#error("expected a value in single quotation marks");
      conditions.push({ label, is: operator === "=", value: unescaped(value) });
    } while (this.#take(/AND(?!\w)/iy));
    return conditions;
  }

  #order(): Select["orderBy"] {
    const name = this.#function();
    this.#expect(/\(/y, "(");
    this.#expect(/\)/y, ")");
    const direction = this.#reader.take(/(?:ASC|DESC)(?!\w)/iy)?.toUpperCase();
    return { function: name, descending: direction === "DESC" };
  }

  #limit(): number {
    const text = this.#reader.take(/\d+/y);
    const limit = Number(text);
    if (text === undefined || limit < 1 || limit > MOST_SERIES)
      throw this.#error(`expected a number from 1 to ${MOST_SERIES}`);
    return limit;
  }

  #function(): SelectFunction {
    const name = this.#reader.take(FUNCTION)?.toUpperCase();
    if (name === undefined) throw this.#error("expected AVG, COUNT, MAX, MIN or SUM");
    return name as SelectFunction;
  }

  #identifiers(): readonly string[] {
    const found = [this.#identifier("a name")];
    while (this.#take(/,/y)) found.push(this.#identifier("a name"));
    return found;
  }

  #identifier(what: string): string {
    const quoted = this.#reader.take(/"(?:[^"\\]|\\.)*"/y);
    if (quoted !== undefined) return unescaped(quoted);
    const bare = this.#reader.take(/\w+/y);
    if (bare === undefined) throw this.#error(`expected ${what}`);
    return bare;
  }

  #take(pattern: RegExp): boolean {
    return this.#reader.take(pattern) !== undefined;
  }

  #expect(pattern: RegExp, what: string): void {
    if (!this.#take(pattern)) throw this.#error(`expected ${what}`);
  }

  #error(message: string): MathError {
    return new MathError(
      `The Metrics Insights query cannot be read at position ${this.#reader.at + 1}: ${message}`,
    );
  }
}

function unescaped(quoted: string): string {
  return quoted.slice(1, -1).replaceAll(/\\(.)/gs, "$1");
}
