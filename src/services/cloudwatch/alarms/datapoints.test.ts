import { describe, expect, it } from "vitest";
import { judge, type Rule, type Treatment } from "./datapoints.ts";

const TREATMENTS: readonly Treatment[] = ["missing", "ignore", "breaching", "notBreaching"];

/** `0` is not breaching, `X` is, `-` is missing; the oldest first, as in the user guide's tables. */
function states(points: string, datapointsToAlarm: number): readonly (string | undefined)[] {
  const range = points
    .split(" ")
    .toReversed()
    .map((point, index) => ({ time: -index, value: point === "-" ? undefined : point === "X" ? 10 : 0 }));
  return TREATMENTS.map((treatment) => {
    const rule: Rule = {
      operator: "GreaterThanThreshold",
      threshold: 5,
      evaluationPeriods: 3,
      datapointsToAlarm,
      treatment,
    };
    return judge(range, rule).state;
  });
}

const RETAINED = undefined;

describe("the evaluation of alarms", () => {
  // User guide, "Configuring how CloudWatch alarms treat missing data": DatapointsToAlarm and EvaluationPeriods are 3.
  it.each([
    ["0 - X - X", ["OK", "OK", "OK", "OK"]],
    ["- - - - 0", ["OK", "OK", "OK", "OK"]],
    ["- - - - -", ["INSUFFICIENT_DATA", RETAINED, "ALARM", "OK"]],
    ["0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["- - X - -", ["ALARM", RETAINED, "ALARM", "OK"]],
  ])("decides %s with 3 out of 3 as AWS documents it", (points, expected) => {
    expect(states(points, 3)).toEqual(expected);
  });

  // The same chapter: DatapointsToAlarm is 2, EvaluationPeriods 3.
  it.each([
    ["0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]],
    ["0 - X - -", ["OK", "OK", "ALARM", "OK"]],
    ["- - - - 0", ["OK", "OK", "ALARM", "OK"]],
    ["- - - X -", ["ALARM", RETAINED, "ALARM", "OK"]],
  ])("decides %s with 2 out of 3 as AWS documents it", (points, expected) => {
    expect(states(points, 2)).toEqual(expected);
  });

  it("waits where the only value is breaching and so recent that others may follow", () => {
    expect(states("- - - - X", 2)[0]).toBe(RETAINED);
  });

  it.each([
    ["GreaterThanThreshold", 5, "OK"],
    ["GreaterThanOrEqualToThreshold", 5, "ALARM"],
    ["LessThanThreshold", 5, "OK"],
    ["LessThanOrEqualToThreshold", 5, "ALARM"],
    ["GreaterThanThreshold", 6, "ALARM"],
    ["LessThanThreshold", 4, "ALARM"],
  ] as const)("%s compares %d with a threshold of 5: %s", (operator, value, expected) => {
    const rule = { operator, threshold: 5, evaluationPeriods: 1, datapointsToAlarm: 1 } as const;
    expect(judge([{ time: 0, value }], { ...rule, treatment: "missing" }).state).toBe(expected);
  });
});
