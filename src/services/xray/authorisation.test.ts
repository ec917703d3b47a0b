import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createXRayAuthorisation } from "./authorisation.ts";
import { groupKey } from "./groups.ts";

const storage = withStorage();
const call = testCall();

it("asks about groups and sampling rules by their ARN, and leaves the rest to their names", async () => {
  const { documents } = storage();
  const { questions } = createXRayAuthorisation(documents);
  const ask = (operation: string, input: object) => questions[operation]?.(input as never, call)[0]?.resource;
  const arn = "arn:aws:xray:us-east-1:111111111111:";
  expect(ask("CreateGroup", { GroupName: "g" })).toBe(`${arn}group/g/*`);
  const group = { name: "g", id: "ABC", filter: "", insights: false, notifications: false };
  await documents.commit([{ key: groupKey(call, "g"), value: group }]);
  expect(ask("UpdateGroup", { GroupName: "g" })).toBe(`${arn}group/g/ABC`);
  expect(ask("DeleteGroup", { GroupARN: `${arn}group/g/ABC` })).toBe(`${arn}group/g/ABC`);
  expect(ask("CreateSamplingRule", { SamplingRule: { RuleName: "r" } })).toBe(`${arn}sampling-rule/r`);
  expect(ask("DeleteSamplingRule", { RuleName: "r" })).toBe(`${arn}sampling-rule/r`);
  expect(questions["PutTraceSegments"]).toBeUndefined();
});
