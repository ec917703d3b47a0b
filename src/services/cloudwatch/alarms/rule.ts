import type * as client from "@aws-sdk/client-cloudwatch";
import { TextReader } from "../text-reader.ts";
import { alarmName } from "./records.ts";

/** A composite alarm's rule, parsed (API reference, PutCompositeAlarm, "AlarmRule"). */
export type AlarmRule =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "state"; readonly state: client.StateValue; readonly alarm: string }
  | AtLeast
  | { readonly kind: "not"; readonly of: AlarmRule }
  | { readonly kind: "and" | "or"; readonly of: readonly AlarmRule[] };

/** `AT_LEAST(2, ALARM, (a, b, c))`: how many of some alarms are in a state, or are not. */
interface AtLeast {
  readonly kind: "at least";
  readonly count: number;
  readonly state: client.StateValue;
  /** Whether those count that are in another state. */
  readonly negated: boolean;
  readonly alarms: readonly string[];
}

export class AlarmRuleError extends Error {
  override readonly name = "AlarmRuleError";
}

/** How deep parentheses and NOTs may go; a rule of 10,240 characters could have thousands. */
const MAX_DEPTH = 100;

/** @throws AlarmRuleError */
export function parseRule(text: string): AlarmRule {
  const parser = new RuleParser(text);
  const rule = parser.or(0);
  parser.end();
  return rule;
}

/** The names of the alarms that a rule looks at, each once. */
export function alarmsOf(rule: AlarmRule): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (rule: AlarmRule): void => {
    if (rule.kind === "state") names.add(rule.alarm);
    else if (rule.kind === "at least") for (const alarm of rule.alarms) names.add(alarm);
    else if (rule.kind === "not") visit(rule.of);
    else if (rule.kind !== "constant") rule.of.forEach(visit);
  };
  visit(rule);
  return names;
}

/** @param stateOf an alarm's state; undefined where there is no such alarm, which is in no state then */
export function holds(rule: AlarmRule, stateOf: (alarm: string) => client.StateValue | undefined): boolean {
  switch (rule.kind) {
    case "constant":
      return rule.value;
    case "state":
      return stateOf(rule.alarm) === rule.state;
    case "at least":
      return countIn(rule, stateOf) >= rule.count;
    case "not":
      return !holds(rule.of, stateOf);
    case "and":
      return rule.of.every((part) => holds(part, stateOf));
    default:
      return rule.of.some((part) => holds(part, stateOf));
  }
}

function countIn(
  { alarms, state, negated }: AtLeast,
  stateOf: (alarm: string) => client.StateValue | undefined,
): number {
  return alarms.filter((alarm) => {
    const found = stateOf(alarm);
    return found !== undefined && (found === state) !== negated;
  }).length;
}

const STATE = /(?:ALARM|OK|INSUFFICIENT_DATA)(?![A-Z0-9_])/y;

class RuleParser {
  readonly #reader: TextReader;

  constructor(text: string) {
    this.#reader = new TextReader(text);
  }

  or(depth: number): AlarmRule {
    return this.#chain("or", /OR(?![A-Z0-9_])/y, () => this.#and(depth));
  }

  end(): void {
    if (!this.#reader.atEnd) throw this.#unsupported("AND or OR");
  }

  #and(depth: number): AlarmRule {
    return this.#chain("and", /AND(?![A-Z0-9_])/y, () => this.#not(depth));
  }

  #chain(kind: "and" | "or", word: RegExp, operand: () => AlarmRule): AlarmRule {
    const first = operand();
    const of = [first];
    while (this.#reader.take(word) !== undefined) of.push(operand());
    return of.length === 1 ? first : { kind, of };
  }

  #not(depth: number): AlarmRule {
    if (depth > MAX_DEPTH) throw new AlarmRuleError("The rule is nested too deeply");
    if (this.#reader.take(/NOT(?![A-Z0-9_])/y) !== undefined)
      return { kind: "not", of: this.#not(depth + 1) };
    if (this.#reader.take(/\(/y) !== undefined) {
      const rule = this.or(depth + 1);
      this.#expect(/\)/y, "')'");
      return rule;
    }
    return this.#term();
  }

  #term(): AlarmRule {
    const constant = this.#reader.take(/(?:TRUE|FALSE)(?![A-Z0-9_])/y);
    if (constant !== undefined) return { kind: "constant", value: constant === "TRUE" };
    if (this.#reader.take(/AT_LEAST(?![A-Z0-9_])/y) !== undefined) return this.#atLeast();
    const state = this.#reader.take(STATE);
    if (state === undefined)
      throw this.#unsupported("'(', 'NOT', AT_LEAST, TRUE or FALSE, ALARM, OK, or INSUFFICIENT_DATA");
    this.#expect(/\(/y, "'('");
    const alarm = this.#alarm(/[^"\s()]+/y);
    this.#expect(/\)/y, "')'");
    return { kind: "state", state: state as client.StateValue, alarm };
  }

  /** A number of alarms or a share of them, what state they are to be in, and which they are. */
  #atLeast(): AtLeast {
    this.#expect(/\(/y, "'('");
    const number = this.#expect(/\d{1,5}/y, "a number");
    const share = this.#reader.take(/%/y) !== undefined;
    this.#expect(/,/y, "','");
    const negated = this.#reader.take(/NOT(?![A-Z0-9_])/y) !== undefined;
    const state = this.#expect(STATE, "ALARM, OK, or INSUFFICIENT_DATA") as client.StateValue;
    this.#expect(/,/y, "','");
    this.#expect(/\(/y, "'('");
    const alarms = [this.#alarm(/[^"\s(),]+/y)];
    while (this.#reader.take(/,/y) !== undefined) alarms.push(this.#alarm(/[^"\s(),]+/y));
    this.#expect(/\)/y, "')'");
    this.#expect(/\)/y, "')'");
    const most = share ? 100 : alarms.length;
    if (Number(number) < 1 || Number(number) > most)
      throw new AlarmRuleError(`The threshold of AT_LEAST must be from 1 to ${most}${share ? "%" : ""}`);
    const count = share ? Math.ceil((Number(number) * alarms.length) / 100) : Number(number);
    return { kind: "at least", count, state, negated, alarms };
  }

  #alarm(bare: RegExp): string {
    const quoted = this.#reader.take(/"(?:[^"\\]|\\.)*"/y);
    const name = quoted?.slice(1, -1).replaceAll(/\\(.)/g, "$1") ?? this.#reader.take(bare);
    if (name === undefined || name === "") throw this.#unsupported("the name or the ARN of an alarm");
    return alarmName(name);
  }

  #expect(pattern: RegExp, what: string): string {
    const found = this.#reader.take(pattern);
    if (found === undefined) throw this.#unsupported(what);
    return found;
  }

  /** In AWS's words, which clients know. */
  #unsupported(expected: string): AlarmRuleError {
    const token = /^(?:[A-Za-z0-9_]+|.)/su.exec(this.#reader.rest)?.[0] ?? "";
    return new AlarmRuleError(
      `Unsupported token '${token}' at char ${this.#reader.at}, must be: ${expected}`,
    );
  }
}
