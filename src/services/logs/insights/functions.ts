import type { Expression } from "./ast.ts";
import { QueryError } from "./error.ts";
import { isIpv4, isIpv6, subnetTest } from "./ip.ts";
import type { Evaluate } from "./row.ts";
import {
  ceilTime,
  floorTime,
  isTruthy,
  parsePeriod,
  toNumber,
  toText,
  type Period,
  type Value,
} from "./values.ts";

type Call = Extract<Expression, { kind: "call" }>;
type Compile = (expression: Expression) => Evaluate;

/** A function of values: how many it takes, and what it makes of them. */
interface Simple {
  readonly least: number;
  readonly most: number;
  readonly run: (args: readonly Value[]) => Value;
}

function numeric(run: (...numbers: number[]) => number, arity = 1): Simple {
  return {
    least: arity,
    most: arity,
    run(args) {
      const numbers = args.map((value) => toNumber(value));
      if (numbers.some((number) => number === undefined)) return undefined;
      const result = run(...(numbers as number[]));
      return Number.isFinite(result) ? result : undefined;
    },
  };
}

function extreme(pick: (...numbers: number[]) => number): Simple {
  return {
    least: 1,
    most: 100,
    run(args) {
      const numbers = args.map((value) => toNumber(value)).filter((number) => number !== undefined);
      return numbers.length === 0 ? undefined : pick(...numbers);
    },
  };
}

function textual(run: (text: string, args: readonly Value[]) => Value, least = 1, most = least): Simple {
  return {
    least,
    most,
    run([first, ...rest]) {
      const text = toText(first);
      return text === undefined ? undefined : run(text, rest);
    },
  };
}

function test(run: (value: Value) => boolean): Simple {
  return { least: 1, most: 1, run: ([value]) => run(value) };
}

/** Functions of values alone ("Supported operations and functions", CloudWatch Logs user guide), by lower-case name. */
const SIMPLE: Readonly<Record<string, Simple>> = {
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  round: numeric(Math.round),
  log: numeric(Math.log),
  sqrt: numeric(Math.sqrt),
  greatest: extreme(Math.max),
  least: extreme(Math.min),
  frommillis: {
    least: 1,
    most: 1,
    run([value]) {
      const time = toNumber(value);
      return time === undefined ? undefined : new Date(time);
    },
  },
  tomillis: numeric((time) => time),
  ispresent: test((value) => value !== undefined && value !== null),
  isempty: test((value) => value === undefined || value === null || value === ""),
  isblank: test((value) => value === undefined || value === null || (toText(value) ?? "").trim() === ""),
  coalesce: {
    least: 1,
    most: 100,
    run: (args) => args.find((value) => value !== undefined && value !== null),
  },
  concat: { least: 1, most: 100, run: (args) => args.map((value) => toText(value) ?? "").join("") },
  ltrim: textual((text, [characters]) => trim(text, characters, true, false), 1, 2),
  rtrim: textual((text, [characters]) => trim(text, characters, false, true), 1, 2),
  trim: textual((text, [characters]) => trim(text, characters, true, true), 1, 2),
  strlen: textual((text) => Array.from(text).length),
  toupper: textual((text) => text.toUpperCase()),
  tolower: textual((text) => text.toLowerCase()),
  substr: textual((text, [start, length]) => substring(text, start, length), 2, 3),
  replace: textual((text, [part, by]) => text.replaceAll(toText(part) ?? "", () => toText(by) ?? ""), 3),
  strcontains: textual((text, [part]) => (text.includes(toText(part) ?? "") ? 1 : 0), 2),
  isvalidip: textual((text) => isIpv4(text) || isIpv6(text)),
  isvalidipv4: textual((text) => isIpv4(text)),
  isvalidipv6: textual((text) => isIpv6(text)),
  isipinsubnet: textual((text, [subnet]) => subnetTest(toText(subnet) ?? "")?.(text) ?? false, 2),
  isipv4insubnet: textual(
    (text, [subnet]) => isIpv4(text) && (subnetTest(toText(subnet) ?? "")?.(text) ?? false),
    2,
  ),
  isipv6insubnet: textual(
    (text, [subnet]) => isIpv6(text) && (subnetTest(toText(subnet) ?? "")?.(text) ?? false),
    2,
  ),
  jsonparse: textual((text) => {
    try {
      return JSON.parse(text) as Value;
    } catch {
      return undefined;
    }
  }),
  jsonstringify: {
    least: 1,
    most: 1,
    run: ([value]) => (value === undefined ? undefined : JSON.stringify(value)),
  },
};

function trim(text: string, characters: Value, atStart: boolean, atEnd: boolean): string {
  const dropped = characters === undefined ? undefined : new Set(toText(characters));
  const kept = Array.from(text, (character) => !(dropped?.has(character) ?? character.trim() === ""));
  const from = atStart ? kept.indexOf(true) : 0;
  const to = atEnd ? kept.lastIndexOf(true) + 1 : kept.length;
  return from === -1 ? "" : Array.from(text).slice(from, to).join("");
}

function substring(text: string, start: Value, length: Value): Value {
  const [from, count] = [toNumber(start), toNumber(length)];
  if (from === undefined) return undefined;
  return text.slice(from, count === undefined ? undefined : from + count);
}

/** @throws QueryError where there is no such function, or it takes another number of arguments */
export function compileCall(call: Call, compile: Compile): Evaluate {
  const name = call.name.toLowerCase();
  switch (name) {
    case "bin":
      return compileBin(call);
    case "datefloor":
      return compilePeriod(call, compile, floorTime);
    case "dateceil":
      return compilePeriod(call, compile, ceilTime);
    case "if":
      return compileIf(call, compile);
    case "now": {
      requireCount(call, 0, 0);
      return (row) => row.get("@now");
    }
    default: {
      const found = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
      if (found === undefined) throw new QueryError(`unknown function ${call.name}`, call.at);
      requireCount(call, found.least, found.most);
      const args = call.args.map((argument) => compile(argument));
      return (row) => found.run(args.map((argument) => argument(row)));
    }
  }
}

/** `bin(5m)`: `@timestamp` rounded down. */
function compileBin(call: Call): Evaluate {
  requireCount(call, 1, 1);
  const period = periodOf(call, call.args[0]);
  return (row) => {
    const time = toNumber(row.get("@timestamp"));
    return time === undefined ? undefined : new Date(floorTime(time, period));
  };
}

function compilePeriod(
  call: Call,
  compile: Compile,
  round: (time: number, period: Period) => number,
): Evaluate {
  requireCount(call, 2, 2);
  const [first, second] = call.args;
  const period = periodOf(call, second);
  const value = compile(first as Expression);
  return (row) => {
    const time = toNumber(value(row));
    return time === undefined ? undefined : new Date(round(time, period));
  };
}

function compileIf(call: Call, compile: Compile): Evaluate {
  requireCount(call, 3, 3);
  const [condition, yes, no] = call.args.map((argument) => compile(argument)) as [
    Evaluate,
    Evaluate,
    Evaluate,
  ];
  return (row) => (isTruthy(condition(row)) ? yes(row) : no(row));
}

function periodOf(call: Call, argument: Expression | undefined): Period {
  const period = argument?.kind === "duration" ? parsePeriod(argument.text) : undefined;
  if (period === undefined) throw new QueryError(`${call.name} needs a period of time, such as 5m`, call.at);
  return period;
}

export function requireCount(call: Call, least: number, most: number): void {
  const { length } = call.args;
  if (length >= least && length <= most) return;
  const wanted = least === most ? String(least) : `${least} to ${most}`;
  throw new QueryError(`${call.name} takes ${wanted} arguments, not ${length}`, call.at);
}
