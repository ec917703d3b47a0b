import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  compileEventPattern,
  EVENT_BRIDGE,
  EventPatternError,
  FILTER_POLICY,
} from "../../../src/patterns/event/event.ts";

interface Refusal {
  readonly scenario: string;
  readonly pattern: string;
  readonly refusal: string;
}

/** What AWS answered to patterns that it repeats in its answers. */
const recorded = JSON.parse(
  readFileSync(new URL("recordings/refusals.json", import.meta.url), "utf8"),
) as Readonly<Record<"eventBridge" | "filterPolicy", readonly Refusal[]>>;

function refusalOf(pattern: string, dialect = EVENT_BRIDGE): string {
  try {
    compileEventPattern(pattern, dialect);
  } catch (error) {
    if (error instanceof EventPatternError) return error.message;
    throw error;
  }
  throw new Error(`${pattern} was accepted`);
}

describe("what AWS was recorded to refuse", () => {
  it.each(recorded.eventBridge)("EventBridge, $scenario", ({ pattern, refusal }) => {
    expect(refusalOf(pattern)).toBe(refusal);
  });

  it.each(recorded.filterPolicy)("SNS, $scenario", ({ pattern, refusal }) => {
    expect(refusalOf(pattern, FILTER_POLICY)).toBe(refusal);
  });

  it.each([
    ["bad-filter", "Malformed CIDR, one '/' required"],
    ["bad-filter/64", "Nonstandard IP address: bad-filter"],
    ["bad-filter/a", "Malformed CIDR, mask bits must be an integer"],
    ["xx.11.xx/8", "Nonstandard IP address: xx.11.xx"],
    ["xxxx:db8:1234:1a00::/64", "Nonstandard IP address: xxxx:db8:1234:1a00::"],
  ])("the network %s", (cidr, refusal) => {
    expect(refusalOf(JSON.stringify({ key: [{ cidr }] }))).toBe(refusal);
  });

  it("a list in place of an object", () => {
    expect(refusalOf('["not", "a", "dict", "but valid json"]')).toBe(
      'Filter is not an object\n at [Source: (String)"["not", "a", "dict", "but valid json"]"; line: 1, column: 2]',
    );
  });
});
