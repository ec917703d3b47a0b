import { BlockList, isIP } from "node:net";
import { compileArnPattern, compilePattern } from "./glob.ts";
import type { ConditionKeys } from "./keys.ts";

/** Whether a value of the request fits one value of the policy; `undefined` where a policy variable has no value. */
export type ValueTest = (value: string, keys: ConditionKeys) => boolean | undefined;

export interface Operator {
  /** `StringNotEquals` and its like: holds where no value fits, and where the request lacks the key. */
  readonly negated: boolean;
  readonly compile: (wanted: string, variables: boolean) => ValueTest;
}

function exact(wanted: string, variables: boolean): ValueTest {
  return compilePattern(wanted, { wildcards: false, variables });
}

function exactIgnoringCase(wanted: string, variables: boolean): ValueTest {
  if (!variables || !wanted.includes("${")) {
    const folded = wanted.toLowerCase();
    return (value) => value.toLowerCase() === folded;
  }
  const pattern = compilePattern(wanted.toLowerCase(), { wildcards: false, variables });
  return (value, keys) =>
    pattern(value.toLowerCase(), (name) => keys(name)?.map((each) => each.toLowerCase()));
}

function like(wanted: string, variables: boolean): ValueTest {
  return compilePattern(wanted, { wildcards: true, variables });
}

function arnLike(wanted: string, variables: boolean): ValueTest {
  return compileArnPattern(wanted, { variables });
}

function compared(
  read: (text: string) => number | undefined,
  holds: (value: number, wanted: number) => boolean,
): Operator["compile"] {
  return (text) => {
    const wanted = read(text);
    return (value) => {
      const number = read(value);
      return wanted !== undefined && number !== undefined && holds(number, wanted);
    };
  };
}

function readNumber(text: string): number | undefined {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** A date in ISO 8601, or seconds since 1970. */
function readDate(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text) && text.length > 4) return Number(text) * 1000;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function bool(wanted: string): ValueTest {
  const folded = wanted.toLowerCase();
  return (value) => value.toLowerCase() === folded;
}

/** An address, or a range in CIDR notation, of IPv4 or IPv6. */
function ipAddress(wanted: string): ValueTest {
  const range = compileRange(wanted);
  return (value) => {
    // A socket that takes both families tells IPv4 peers so.
    const address = value.startsWith("::ffff:") && value.includes(".") ? value.slice(7) : value;
    const family = isIP(address);
    return range !== undefined && family !== 0 && range.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}

function compileRange(text: string): BlockList | undefined {
  const [address = "", bits, rest] = text.split("/");
  const family = isIP(address);
  const width = family === 6 ? 128 : 32;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
  if (family === 0 || rest !== undefined || prefix < 0 || prefix > width) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, family === 6 ? "ipv6" : "ipv4");
  return list;
}

const is = (compile: Operator["compile"]): Operator => ({ negated: false, compile });
const isNot = (compile: Operator["compile"]): Operator => ({ negated: true, compile });

/** By name in lower case (IAM user guide, "IAM JSON policy elements: Condition operators"). `Null` is none of these. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["stringequals", is(exact)],
  ["stringnotequals", isNot(exact)],
  ["stringequalsignorecase", is(exactIgnoringCase)],
  ["stringnotequalsignorecase", isNot(exactIgnoringCase)],
  ["stringlike", is(like)],
  ["stringnotlike", isNot(like)],
  ["numericequals", is(compared(readNumber, (value, wanted) => value === wanted))],
  ["numericnotequals", isNot(compared(readNumber, (value, wanted) => value === wanted))],
  ["numericlessthan", is(compared(readNumber, (value, wanted) => value < wanted))],
  ["numericlessthanequals", is(compared(readNumber, (value, wanted) => value <= wanted))],
  ["numericgreaterthan", is(compared(readNumber, (value, wanted) => value > wanted))],
  ["numericgreaterthanequals", is(compared(readNumber, (value, wanted) => value >= wanted))],
  ["dateequals", is(compared(readDate, (value, wanted) => value === wanted))],
  ["datenotequals", isNot(compared(readDate, (value, wanted) => value === wanted))],
  ["datelessthan", is(compared(readDate, (value, wanted) => value < wanted))],
  ["datelessthanequals", is(compared(readDate, (value, wanted) => value <= wanted))],
  ["dategreaterthan", is(compared(readDate, (value, wanted) => value > wanted))],
  ["dategreaterthanequals", is(compared(readDate, (value, wanted) => value >= wanted))],
  ["bool", is(bool)],
  ["binaryequals", is((wanted) => (value) => value === wanted)],
  ["ipaddress", is(ipAddress)],
  ["notipaddress", isNot(ipAddress)],
  // ArnEquals and ArnLike behave alike.
  ["arnequals", is(arnLike)],
  ["arnnotequals", isNot(arnLike)],
  ["arnlike", is(arnLike)],
  ["arnnotlike", isNot(arnLike)],
]);
