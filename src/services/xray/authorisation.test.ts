import { expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createXRayService } from "./service.ts";

const storage = withStorage();

function setUp() {
  const { documents, journal } = storage();
  const clock = new ManualClock();
  const call = testCall("111111111111");
  const options = { documents, journal, clock, ids: systemIds, onError: () => undefined };
  const { operations, authorisation } = createXRayService(options);
  const ask = (operation: string, input: object) =>
    authorisation?.questions[operation]?.(input as never, call) ?? [];
  return { call, operations, authorisation, ask };
}

it("asks for groups and sampling rules by their ARNs, and for all else on everything", async () => {
  const { call, operations, authorisation, ask } = setUp();
  const tag = { Key: "team", Value: "a" };
  const created = await operations["CreateGroup"]?.({ GroupName: "g", Tags: [tag] } as never, call);
  const { GroupARN } = (created as { Group: { GroupARN: string } }).Group;
  expect(ask("DeleteGroup", { GroupName: "g" })).toMatchObject([
    { action: "xray:DeleteGroup", resource: GroupARN },
  ]);
  expect(ask("GetGroup", { GroupARN })).toMatchObject([{ resource: GroupARN }]);
  expect(authorisation?.resourceTags?.(GroupARN)).toEqual({ team: "a" });
  const prefix = `arn:aws:xray:${call.region}:111111111111`;
  expect(ask("CreateGroup", { GroupName: "new", Tags: [tag] })).toMatchObject([
    { resource: `${prefix}:group/new/*`, keys: { "aws:requesttag/team": "a", "aws:tagkeys": ["team"] } },
  ]);
  const rule = `${prefix}:sampling-rule/r`;
  for (const [operation, input] of [
    ["CreateSamplingRule", { SamplingRule: { RuleName: "r" } }],
    ["UpdateSamplingRule", { SamplingRuleUpdate: { RuleARN: rule } }],
    ["DeleteSamplingRule", { RuleName: "r" }],
    ["UntagResource", { ResourceARN: rule, TagKeys: ["team"] }],
  ] as const)
    expect(ask(operation, input)).toMatchObject([{ action: `xray:${operation}`, resource: rule }]);
  expect(authorisation?.questions["PutTraceSegments"]).toBeUndefined();
});
