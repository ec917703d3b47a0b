import type * as client from "@aws-sdk/client-cloudwatch";
import { TextReader } from "../text-reader.ts";
import { alarmName } from "./records.ts";

/** A composite alarm's rule, parsed (API reference, PutCompositeAlarm, "AlarmRule"). */
export type AlarmRule =
  | { readonly kind: "constant"; readonly value: boolean }
  | { readonly kind: "state"; readonly state: client.StateValue; readonly alarm: string }
  | { readonly kind: "not"; readonly of: AlarmRule }
  | { readonly kind: "and" | "or"; readonly of: readonly AlarmRule[] };

export class AlarmRuleError extends Error {
  /** @param at where in the rule, from 1 */
  constructor(message: string, at: number) {
    super(`${message} at position ${at}`);
    this.name = "AlarmRuleError";
  }
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
    case "not":
      return !holds(rule.of, stateOf);
    case "and":
      return rule.of.every((part) => holds(part, stateOf));
    default:
      return rule.of.some((part) => holds(part, stateOf));
  }
}

class RuleParser {
  readonly #reader: TextReader;

  constructor(text: string) {
    this.#reader = new TextReader(text);
  }

  or(depth: number): AlarmRule {
    return this.#chain("or", /OR(?![A-Z0-9_])/y, () => this.#and(depth));
  }

  end(): void {
    if (!this.#reader.atEnd) throw this.#error("Unexpected text");
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
    if (depth > MAX_DEPTH) throw this.#error("The rule is nested too deeply");
    if (this.#reader.take(/NOT(?![A-Z0-9_])/y) !== undefined)
      return { kind: "not", of: this.#not(depth + 1) };
    if (this.#reader.take(/\(/y) !== undefined) {
      const rule = this.or(depth + 1);
      if (this.#reader.take(/\)/y) === undefined) throw this.#error("Expected )");
      return rule;
    }
    return this.#term();
  }

  #term(): AlarmRule {
    const constant = this.#reader.take(/(?:TRUE|FALSE)(?![A-Z0-9_])/y);
    if (constant !== undefined) return { kind: "constant", value: constant === "TRUE" };
    const state = this.#reader.take(/ALARM|OK|INSUFFICIENT_DATA/y);
    if (state === undefined)
      throw this.#error("Expected ALARM, OK, INSUFFICIENT_DATA, TRUE, FALSE, NOT or (");
    if (this.#reader.take(/\(/y) === undefined) throw this.#error("Expected (");
    const quoted = this.#reader.take(/"(?:[^"\\]|\\.)*"/y);
    const name =
      quoted === undefined ? this.#reader.take(/[^"\s()]+/y) : quoted.slice(1, -1).replaceAll(/\\(.)/g, "$1");
    if (name === undefined || name === "") throw this.#error("Expected the name or the ARN of an alarm");
    if (this.#reader.take(/\)/y) === undefined) throw this.#error("Expected )");
    return { kind: "state", state: state as client.StateValue, alarm: alarmName(name) };
  }

  #error(message: string): AlarmRuleError {
    return new AlarmRuleError(message, this.#reader.at + 1);
  }
}
