import type { Command, ParseCommand, SortKey } from "./ast.ts";
import { compile } from "./compile.ts";
import { MOST_RESULTS } from "./parse.ts";
import { PatternStage } from "./patterns.ts";
import { compileRegex, escapeRegex } from "./regex.ts";
import { ComputedRow, type Evaluate, type Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { StatsStage } from "./stats.ts";
import { compareValues, isTruthy, toText, type Value } from "./values.ts";

/** The stage of a command, before `next`. @throws QueryError where the command means nothing */
export function stageOf(command: Command, next: Stage): Stage {
  switch (command.kind) {
    case "fields":
    case "display":
      return computeStage(
        command.columns.map(({ name, expression }) => ({
          name,
          value: compile(expression),
          given: expression.kind === "field" && expression.name === name,
        })),
        next,
      );
    case "filter":
      return filterStage(compile(command.condition), next);
    case "parse":
      return parseStage(command, next);
    case "stats":
      return new StatsStage(command, next);
    case "sort":
      return new SortStage(command.keys, MOST_RESULTS, next);
    case "limit":
      return limitStage(command.count, next);
    case "dedup":
      return dedupStage(command.fields, next);
    case "pattern":
      return new PatternStage(command.field, next);
    default:
      return unnestStage(command.field, command.as, next);
  }
}

function computeStage(
  columns: readonly { readonly name: string; readonly value: Evaluate; readonly given: boolean }[],
  next: Stage,
): Stage {
  const computed = columns.filter(({ given }) => !given);
  return {
    push(row) {
      for (const { name, value } of computed) row.set(name, value(row));
      next.push(row);
    },
    finish: () => next.finish(),
  };
}

function filterStage(condition: Evaluate, next: Stage): Stage {
  return {
    push(row) {
      if (isTruthy(condition(row))) next.push(row);
    },
    finish: () => next.finish(),
  };
}

/** Rows that the pattern does not fit pass on, without the fields. */
function parseStage({ source, pattern, names }: ParseCommand, next: Stage): Stage {
  const text = compile(source);
  const expression =
    pattern.kind === "glob"
      ? globRegex(pattern.text)
      : compileRegex(pattern.source, pattern.flags, pattern.at);
  return {
    push(row) {
      const match = expression.exec(toText(text(row)) ?? "");
      if (match !== null) {
        const named = Object.entries(match.groups ?? {});
        for (const [name, value] of names.length === 0
          ? named
          : names.map((name, index) => [name, match[index + 1]] as const))
          row.set(name, value);
      }
      next.push(row);
    },
    finish: () => next.finish(),
  };
}

/** Each star takes as little as it can; one at the end takes the rest. */
function globRegex(glob: string): RegExp {
  const parts = glob.split("*").map((part) => escapeRegex(part).replaceAll(/\s+/gu, String.raw`\s+`));
  const last = parts.length - 1;
  const body = parts.map((part, index) =>
    index === last ? part : `${part}${index === last - 1 && parts[last] === "" ? "(.*)" : "(.*?)"}`,
  );
  return new RegExp(body.join(""), "su");
}

function limitStage(count: number, next: Stage): Stage {
  let passed = 0;
  return {
    push(row) {
      if (passed < count) next.push(row);
      passed++;
    },
    finish: () => next.finish(),
  };
}

/** Of rows with the same values the first; rows that lack all of the fields are kept. */
function dedupStage(fields: readonly string[], next: Stage): Stage {
  const seen = new Set<string>();
  return {
    push(row) {
      const values = fields.map((field) => toText(row.get(field)));
      const key = JSON.stringify(values);
      const known = seen.has(key) && values.some((value) => value !== undefined);
      seen.add(key);
      if (!known) next.push(row);
    },
    finish: () => next.finish(),
  };
}

function unnestStage(field: string, as: string, next: Stage): Stage {
  return {
    push(row) {
      const list = listOf(row.get(field));
      if (list === undefined) return next.push(row);
      for (const value of list) next.push(new OverlaidRow(row, as, value));
    },
    finish: () => next.finish(),
  };
}

function listOf(value: Value): readonly Value[] | undefined {
  if (Array.isArray(value)) return value as readonly Value[];
  return typeof value === "object" && value !== null && !(value instanceof Date)
    ? Object.values(value)
    : undefined;
}

/** A row with one field of its own; several lie over the same row. */
class OverlaidRow implements Row {
  readonly #under: Row;
  readonly #over = new ComputedRow();

  constructor(under: Row, field: string, value: Value) {
    this.#under = under;
    this.#over.set(field, value);
  }

  get(field: string): Value {
    const own = this.#over.get(field);
    return own === undefined ? this.#under.get(field) : own;
  }

  set(field: string, value: Value): void {
    this.#over.set(field, value);
  }

  *own(): Iterable<string> {
    yield* this.#under.own();
    yield* this.#over.own();
  }
}

/** Sorts what comes, and keeps no more of it than a result may hold. */
export class SortStage implements Stage {
  readonly #keys: readonly { readonly value: Evaluate; readonly descending: boolean }[];
  readonly #most: number;
  readonly #next: Stage;
  #rows: { readonly row: Row; readonly values: readonly Value[]; readonly order: number }[] = [];
  #pushed = 0;

  constructor(keys: readonly SortKey[], most: number, next: Stage) {
    this.#keys = keys.map(({ expression, descending }) => ({ value: compile(expression), descending }));
    this.#most = most;
    this.#next = next;
  }

  push(row: Row): void {
    this.#rows.push({ row, values: this.#keys.map(({ value }) => value(row)), order: this.#pushed++ });
    // Cut down now and then: a sort costs little for each row when many have come since the last one.
    if (this.#rows.length >= 2 * this.#most) this.#cut();
  }

  finish(): void {
    this.#cut();
    for (const { row } of this.#rows) this.#next.push(row);
    this.#rows = [];
    this.#next.finish();
  }

  #cut(): void {
    this.#rows.sort((a, b) => {
      for (const [index, { descending }] of this.#keys.entries()) {
        const order = compareValues(a.values[index], b.values[index]);
        if (order !== 0) return descending ? -order : order;
      }
      return a.order - b.order;
    });
    this.#rows.length = Math.min(this.#rows.length, this.#most);
  }
}
