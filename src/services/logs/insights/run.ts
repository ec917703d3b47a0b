import type { LogRecordView } from "#telemetry/log-record";
import type { Command } from "./ast.ts";
import { EventRow, type EventOrigin } from "./event-row.ts";
import { MOST_RESULTS, parseQuery } from "./parse.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";
import { stageOf } from "./stages.ts";
import { toText } from "./values.ts";

export interface ResultField {
  readonly field: string;
  readonly value: string;
}

export interface QueryOutcome {
  readonly rows: readonly (readonly ResultField[])[];
  readonly scanned: number;
  readonly matched: number;
  /** Bytes of messages. */
  readonly bytes: number;
}

/** Events without an order of the query's own come latest first (CloudWatch Logs user guide, "sort"). */
const LATEST_FIRST: Command = {
  kind: "sort",
  keys: [{ expression: { kind: "field", name: "@timestamp" }, descending: true }],
};

/** Commands after which rows are still events, each once. */
const PASSING: ReadonlySet<Command["kind"]> = new Set(["filter", "fields", "display", "parse"]);

/** A query at work: takes events in any order, then tells what became of them. */
export class RunningQuery {
  readonly #first: Stage;
  readonly #results: Row[] = [];
  readonly #columns: readonly string[] | undefined;
  readonly #now: Date;
  #scanned = 0;
  #matched = 0;
  #bytes = 0;

  /**
   * @param now epoch milliseconds, for now()
   * @throws QueryError
   */
  constructor(text: string, now: number, limit = MOST_RESULTS) {
    const { commands } = parseQuery(text);
    this.#now = new Date(now);
    this.#columns = columnsOf(commands);
    const results: Stage = {
      push: (row) => {
        if (this.#results.length < limit) this.#results.push(row);
      },
      finish: () => undefined,
    };
    const ordered = withOrder(commands);
    // What passes the commands before the first that orders or groups is what matched.
    const passing = ordered.findIndex(({ kind }) => !PASSING.has(kind));
    const split = passing === -1 ? ordered.length : passing;
    const rest = ordered.slice(split).reduceRight((next, command) => stageOf(command, next), results);
    this.#first = ordered
      .slice(0, split)
      .reduceRight((next, command) => stageOf(command, next), this.#counting(rest));
  }

  push(origin: EventOrigin, sequence: number, event: LogRecordView): void {
    this.#scanned++;
    this.#bytes += event.messageBytes;
    this.#first.push(new EventRow(origin, sequence, event, this.#now));
  }

  finish(): QueryOutcome {
    this.#first.finish();
    return {
      rows: this.#results.map((row) => show(row, this.#columns)),
      scanned: this.#scanned,
      matched: this.#matched,
      bytes: this.#bytes,
    };
  }

  #counting(next: Stage): Stage {
    return {
      push: (row) => {
        this.#matched++;
        next.push(row);
      },
      finish: () => next.finish(),
    };
  }
}

/** The commands with an order of events, where the query has none: before the first that depends on one. */
function withOrder(commands: readonly Command[]): readonly Command[] {
  const first = commands.findIndex(({ kind }) => !PASSING.has(kind) && kind !== "unnest");
  const kind = commands[first]?.kind;
  if (kind === "stats" || kind === "sort" || kind === "pattern") return commands;
  return first === -1 ? [...commands, LATEST_FIRST] : commands.toSpliced(first, 0, LATEST_FIRST);
}

/** What results show of a row; undefined where they show all that was computed. */
function columnsOf(commands: readonly Command[]): readonly string[] | undefined {
  const display = commands.findLast((command) => command.kind === "display");
  if (display?.kind === "display") return display.columns.map(({ name }) => name);
  if (commands.some(({ kind }) => kind === "stats" || kind === "pattern")) return undefined;
  const chosen = commands.flatMap((command) => (command.kind === "fields" ? command.columns : []));
  const named = chosen.length === 0 ? ["@timestamp", "@message"] : chosen.map(({ name }) => name);
  return [...new Set([...named, "@ptr"])];
}

function show(row: Row, columns: readonly string[] | undefined): readonly ResultField[] {
  const shown: ResultField[] = [];
  for (const field of columns ?? row.own()) {
    const value = toText(row.get(field));
    if (value !== undefined) shown.push({ field, value });
  }
  return shown;
}
