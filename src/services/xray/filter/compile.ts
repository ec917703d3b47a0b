import type { Annotation } from "../segments/segment.ts";
import type { ServiceName, Trace } from "../traces/trace.ts";
import { type CauseKind, rootCausesOf } from "../traces/root-causes.ts";
import { causeShapes, hasShape, ITEMS } from "./causes.ts";
import { FilterExpressionError } from "./error.ts";
import {
  callSubject,
  CauseSubject,
  FLAGS,
  NUMBERS,
  servicesOf,
  TEXTS,
  TraceSubject,
  type Flag,
  type NumberKeyword,
  type Subject,
  type TextKeyword,
} from "./subject.ts";
import { tokenise, type Token } from "./tokens.ts";

/** Whether a trace is one that was asked for. */
export type TraceFilter = (trace: Trace) => boolean;

type Condition = (subject: Subject) => boolean;
type ServiceTest = (service: ServiceName) => boolean;

/** Nested deeper than any expression that a person writes; the parser calls itself for each level. */
const MOST_NESTED = 50;

/**
 * Compiles a filter expression ("Use filter expressions", X-Ray developer guide).
 * @param groupFilter the expression of a group by its name, for `group.name`; undefined where there is no such group
 * @throws FilterExpressionError
 */
export function compileFilter(
  expression: string,
  groupFilter: (name: string) => string | undefined = () => undefined,
): TraceFilter {
  const condition = new FilterParser(expression, groupFilter).parse();
  return (trace) => condition(new TraceSubject(trace));
}

class FilterParser {
  readonly #tokens: readonly Token[];
  readonly #groupFilter: (name: string) => string | undefined;
  #at = 0;
  #depth = 0;

  constructor(expression: string, groupFilter: (name: string) => string | undefined) {
    this.#tokens = tokenise(expression);
    this.#groupFilter = groupFilter;
  }

  parse(): Condition {
    const condition = this.#or();
    if (this.#peek().kind !== "end") this.#unexpected();
    return condition;
  }

  #or(): Condition {
    if (++this.#depth > MOST_NESTED) throw new FilterExpressionError("nested too deeply");
    const options = [this.#and()];
    while (this.#acceptWord("or")) options.push(this.#and());
    this.#depth--;
    return (subject) => options.some((option) => option(subject));
  }

  #and(): Condition {
    const parts = [this.#not()];
    // The guide writes `ok !partial duration <3`, too.
    while (this.#acceptWord("and") || this.#beginsCondition()) parts.push(this.#not());
    return (subject) => parts.every((part) => part(subject));
  }

  #not(): Condition {
    let negated = false;
    while (this.#accept("!") || this.#acceptWord("not")) negated = !negated;
    const condition = this.#primary();
    return negated ? (subject) => !condition(subject) : condition;
  }

  #primary(): Condition {
    if (this.#accept("(")) {
      const inner = this.#or();
      this.#expect(")");
      return inner;
    }
    const token = this.#take();
    if (token.kind === "string") return this.#annotationOrName(token.text);
    if (token.kind !== "word") throw new FilterExpressionError(`unexpected ${token.text || "end"}`);
    const keyword = token.text.toLowerCase();
    if (FLAGS.includes(keyword as Flag)) return this.#flag(keyword as Flag);
    if (NUMBERS.includes(keyword as NumberKeyword)) return this.#number(keyword as NumberKeyword);
    if (TEXTS.includes(keyword as TextKeyword)) return this.#text(keyword as TextKeyword);
    const annotation = /^annotation(?:\.(.+)|\[(.+)\])$/iu.exec(token.text);
    if (annotation !== null) return this.#annotation(annotation[1] ?? annotation[2] ?? "");
    switch (keyword) {
      case "service":
        return this.#service();
      case "edge":
        return this.#edge();
      case "id": {
        this.#at--;
        const test = this.#serviceTest();
        return ({ trace }) => servicesOf(trace).some(({ service }) => test(service));
      }
      case "group.name":
        return this.#group((text) => text);
      case "group.arn":
        return this.#group((arn) => /:group\/([^/]+)/.exec(arn)?.[1] ?? "");
      case "rootcause.json":
        return this.#rootCauseJson();
      default:
        return this.#rootCause(token.text);
    }
  }

  /** A text alone: a trace that holds it as the name of a service, or as the value of an annotation. */
  #annotationOrName(text: string): Condition {
    return ({ trace }) => servicesOf(trace).some(({ service }) => service.name === text) || trace.id === text;
  }

  #flag(keyword: Flag): Condition {
    const wanted = this.#booleanAfterOperator();
    return (subject) => subject.flag(keyword) === wanted;
  }

  /** `= false`, `!= true` or nothing, which is `= true`. */
  #booleanAfterOperator(): boolean {
    const unequal = this.#accept("!=");
    if (!unequal && !this.#accept("=")) return true;
    const word = this.#take().text.toLowerCase();
    if (word !== "true" && word !== "false")
      throw new FilterExpressionError(`true or false expected, not ${word}`);
    return (word === "true") !== unequal;
  }

  #number(keyword: NumberKeyword): Condition {
    const compare = this.#numberComparison();
    if (compare === undefined) throw new FilterExpressionError(`${keyword} needs a comparison`);
    return (subject) => {
      const value = subject.number(keyword);
      return value !== undefined && compare(value);
    };
  }

  #text(keyword: TextKeyword): Condition {
    const compare = this.#textComparison();
    return (subject) => {
      const value = subject.text(keyword);
      return compare === undefined ? value !== undefined : compare(value);
    };
  }

  #annotation(key: string): Condition {
    const next = this.#tokens[this.#at + 1];
    const boolean = next?.kind === "word" && /^(?:true|false)$/iu.test(next.text);
    if (boolean && (this.#isSymbol("=") || this.#isSymbol("!="))) {
      const wanted = this.#booleanAfterOperator();
      return (subject) => subject.annotations(key).includes(wanted);
    }
    const compare = next?.kind === "number" ? this.#numberComparison() : undefined;
    if (compare !== undefined)
      return (subject) =>
        subject.annotations(key).some((value) => typeof value === "number" && compare(value));
    const matches = this.#textComparison();
    return (subject) => {
      const values = subject.annotations(key);
      if (matches === undefined) return values.length > 0;
      return values.some((value: Annotation) => typeof value === "string" && matches(value));
    };
  }

  /** `service("name") { … }`: a service of the trace with this name that the conditions hold for. */
  #service(): Condition {
    this.#expect("(");
    const test: ServiceTest = this.#isSymbol(")") ? () => true : this.#serviceTest();
    this.#expect(")");
    const inner = this.#block();
    return ({ trace }) => servicesOf(trace).some((subject) => test(subject.service) && inner(subject));
  }

  #edge(): Condition {
    this.#expect("(");
    const from = this.#serviceTest();
    this.#expect(",");
    const to = this.#serviceTest();
    this.#expect(")");
    const inner = this.#block();
    return ({ trace }) =>
      trace.calls().some((call) => from(call.from) && to(call.to) && inner(callSubject(trace, call)));
  }

  #block(): Condition {
    if (!this.#accept("{")) return () => true;
    if (this.#accept("}")) return () => true;
    const inner = this.#or();
    this.#expect("}");
    return inner;
  }

  /** `"name"` or `id(name: "…", type: "…", account.id: "…")`. */
  #serviceTest(): ServiceTest {
    const token = this.#take();
    if (token.kind === "string") return ({ name }) => name === token.text;
    if (token.kind !== "word" || token.text.toLowerCase() !== "id")
      throw new FilterExpressionError(`the name of a service expected, not ${token.text || "the end"}`);
    this.#expect("(");
    const wanted = new Map<string, string>();
    do {
      const member = this.#take().text.toLowerCase();
      if (!["name", "type", "account.id"].includes(member))
        throw new FilterExpressionError(`unknown member ${member}`);
      this.#expect(":");
      wanted.set(member, this.#takeString());
    } while (this.#accept(","));
    this.#expect(")");
    const [wantedName, wantedType] = [wanted.get("name"), wanted.get("type")];
    // Traces hold services of their own account alone.
    return ({ name, type }) =>
      (wantedName === undefined || name === wantedName) && (wantedType === undefined || type === wantedType);
  }

  #group(nameIn: (text: string) => string): Condition {
    this.#expect("=");
    const name = nameIn(this.#takeString());
    const expression = this.#groupFilter(name);
    if (expression === undefined) throw new FilterExpressionError(`there is no group ${name}`);
    if (expression === "") return () => true;
    // A group's own expression names no other group: groups that name each other would never end.
    const inner = new FilterParser(expression, () => undefined).parse();
    return ({ trace }) => inner(new TraceSubject(trace));
  }

  /** `rootcause.fault.entity { … }`: one on the way to a root cause that the conditions hold for. */
  #rootCause(keyword: string): Condition {
    const [, kind, of] =
      /^rootcause\.(fault|error|responsetime)\.(service|entity|exception)$/iu.exec(keyword) ?? [];
    if (kind === undefined || of === undefined) throw new FilterExpressionError(`unknown keyword ${keyword}`);
    const inner = this.#block();
    const items = ITEMS[of.toLowerCase() as keyof typeof ITEMS];
    return ({ trace }) =>
      rootCausesOf(trace, kind.toLowerCase() as CauseKind).some((cause) =>
        items(cause).some((item, index, all) => inner(new CauseSubject(trace, item, index, all.length))),
      );
  }

  #rootCauseJson(): Condition {
    this.#expect("=");
    const token = this.#take();
    if (token.kind !== "json") throw new FilterExpressionError(`#[…] expected, not ${token.text}`);
    const wanted = causeShapes(token.text);
    return ({ trace }) => {
      const known = (["fault", "error", "responsetime"] as const).flatMap((kind) =>
        rootCausesOf(trace, kind),
      );
      return wanted.every((shape) => known.some((cause) => hasShape(cause, shape)));
    };
  }

  #numberComparison(): ((value: number) => boolean) | undefined {
    const operator = this.#peek().text;
    const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
      "=": (a, b) => a === b,
      "!=": (a, b) => a !== b,
      "<": (a, b) => a < b,
      "<=": (a, b) => a <= b,
      ">": (a, b) => a > b,
      ">=": (a, b) => a >= b,
    };
    const compare = this.#peek().kind === "symbol" ? comparisons[operator] : undefined;
    if (compare === undefined) return undefined;
    this.#at++;
    const token = this.#take();
    if (token.kind !== "number")
      throw new FilterExpressionError(`a number expected, not ${token.text || "the end"}`);
    const wanted = Number(token.text);
    return (value) => compare(value, wanted);
  }

  #textComparison(): ((value: string | undefined) => boolean) | undefined {
    if (this.#accept("=")) {
      const wanted = this.#takeString();
      return (value) => value === wanted;
    }
    if (this.#accept("!=")) {
      const wanted = this.#takeString();
      return (value) => value !== wanted;
    }
    const tests: readonly (readonly [word: string, test: (value: string, part: string) => boolean])[] = [
      ["contains", (value, part) => value.includes(part)],
      ["beginswith", (value, part) => value.startsWith(part)],
      ["endswith", (value, part) => value.endsWith(part)],
    ];
    for (const [word, test] of tests) {
      if (!this.#acceptWord(word)) continue;
      const part = this.#takeString();
      return (value) => value !== undefined && test(value, part);
    }
    return undefined;
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "" };
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind === "end") throw new FilterExpressionError("it ends too early");
    this.#at++;
    return token;
  }

  #takeString(): string {
    const token = this.#take();
    if (token.kind !== "string")
      throw new FilterExpressionError(`a text in quotes expected, not ${token.text}`);
    return token.text;
  }

  #beginsCondition(): boolean {
    const { kind, text } = this.#peek();
    return kind === "word"
      ? text.toLowerCase() !== "or"
      : kind === "symbol" && (text === "!" || text === "(");
  }

  #isSymbol(text: string): boolean {
    const token = this.#peek();
    return token.kind === "symbol" && token.text === text;
  }

  #accept(text: string): boolean {
    const found = this.#isSymbol(text);
    if (found) this.#at++;
    return found;
  }

  #acceptWord(word: string): boolean {
    const token = this.#peek();
    const found = token.kind === "word" && token.text.toLowerCase() === word;
    if (found) this.#at++;
    return found;
  }

  #expect(text: string): void {
    if (!this.#accept(text))
      throw new FilterExpressionError(`${text} expected, not ${this.#peek().text || "the end"}`);
  }

  #unexpected(): never {
    throw new FilterExpressionError(`unexpected ${this.#peek().text}`);
  }
}
