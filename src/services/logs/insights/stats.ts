import { compileAggregate, type Accumulator, type MakeAccumulator } from "./aggregates.ts";
import type { Command, Expression, Named } from "./ast.ts";
import { compile } from "./compile.ts";
import { QueryError } from "./error.ts";
import { ComputedRow, type Evaluate, type Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { toText, type Value } from "./values.ts";

/** Groups of one query at most: what is beyond could not be shown, and would fill the memory. */
const MOST_GROUPS = 100_000;

interface Group {
  readonly by: readonly Value[];
  readonly accumulators: readonly Accumulator[];
}

interface Column {
  readonly name: string;
  readonly value: Evaluate;
}

/** `stats count(*) / 2 as half by bin(5m)`: an expression over aggregates, for each group. */
export class StatsStage implements Stage {
  readonly #by: readonly Column[];
  readonly #columns: readonly Column[];
  readonly #makers: MakeAccumulator[] = [];
  readonly #groups = new Map<string, Group>();
  readonly #next: Stage;

  constructor({ aggregates, by }: Extract<Command, { kind: "stats" }>, next: Stage) {
    this.#by = by.map(({ name, expression }) => ({ name, value: compile(expression) }));
    this.#columns = aggregates.map((named) => this.#column(named));
    this.#next = next;
  }

  push(row: Row): void {
    const by = this.#by.map(({ value }) => value(row));
    const key = by.length < 2 ? keyOf(by[0]) : JSON.stringify(by.map((value) => keyOf(value)));
    let group = this.#groups.get(key);
    if (group === undefined) {
      if (this.#groups.size >= MOST_GROUPS)
        throw new QueryError(`stats makes more than ${MOST_GROUPS} groups`, 0);
      group = { by, accumulators: this.#makers.map((make) => make()) };
      this.#groups.set(key, group);
    }
    for (const accumulator of group.accumulators) accumulator.add(row);
  }

  finish(): void {
    // A query without groups answers a row even where nothing matched.
    if (this.#groups.size === 0 && this.#by.length === 0)
      this.#groups.set("", { by: [], accumulators: this.#makers.map((make) => make()) });
    for (const { by, accumulators } of this.#groups.values()) {
      const row = new ComputedRow();
      const inner = new ComputedRow();
      for (const [index, { name }] of this.#by.entries()) {
        row.set(name, by[index]);
        inner.set(name, by[index]);
      }
      for (const [index, accumulator] of accumulators.entries())
        inner.set(slotName(index), accumulator.result());
      for (const { name, value } of this.#columns) row.set(name, value(inner));
      this.#next.push(row);
    }
    this.#groups.clear();
    this.#next.finish();
  }

  #column({ name, expression }: Named): Column {
    const before = this.#makers.length;
    const value = compile(this.#slots(expression));
    if (this.#makers.length === before)
      throw new QueryError(`stats needs an aggregate function, unlike ${name}`, 0);
    return { name, value };
  }

  /** The expression with each aggregate replaced by the place where its result will stand. */
  #slots(expression: Expression): Expression {
    switch (expression.kind) {
      case "call": {
        const make = compileAggregate(expression);
        if (make === undefined)
          return { ...expression, args: expression.args.map((inner) => this.#slots(inner)) };
        this.#makers.push(make);
        return { kind: "field", name: slotName(this.#makers.length - 1) };
      }
      case "unary":
        return { ...expression, operand: this.#slots(expression.operand) };
      case "binary":
        return { ...expression, left: this.#slots(expression.left), right: this.#slots(expression.right) };
      case "in":
        return {
          ...expression,
          value: this.#slots(expression.value),
          list: expression.list.map((inner) => this.#slots(inner)),
        };
      default:
        return expression;
    }
  }
}

/** No field that a query can name. */
function slotName(index: number): string {
  return ` ${index}`;
}

function keyOf(value: Value): string {
  if (value instanceof Date) return String(value.getTime());
  return toText(value) ?? "\0";
}
