import { describe, expect, it } from "vitest";
import { createModels } from "./load.ts";
import type { StructureShape } from "./model.ts";

const models = createModels();

describe("service models", () => {
  it("are read once", () => {
    expect(models.get("lambda")).toBe(models.get("lambda"));
  });

  it("tell what is missing", () => {
    expect(() => models.get("nonsense")).toThrow("npm run schemas");
  });

  it("describe an operation's route, bindings and constraints", () => {
    const invoke = models.get("lambda").operations.get("Invoke");
    expect(invoke?.http).toEqual({
      method: "POST",
      uri: "/2015-03-31/functions/{FunctionName}/invocations",
      status: 200,
    });
    const name = invoke?.input.members.get("FunctionName");
    expect(name).toMatchObject({ required: true, traits: { httpLabel: true }, constraints: { max: 256 } });
    expect(invoke?.input.members.get("Payload")?.shape.kind).toBe("blob");
  });

  it("tell number kinds apart", () => {
    const alarm = models.get("cloudwatch").operations.get("PutMetricAlarm")?.input;
    expect(alarm?.members.get("Threshold")?.shape.kind).toBe("double");
    expect(alarm?.members.get("Period")?.shape.kind).toBe("integer");
    const weights = models.get("lambda").operations.get("CreateAlias")?.input.members.get("RoutingConfig")
      ?.shape as StructureShape;
    const map = weights.members.get("AdditionalVersionWeights")?.shape;
    expect(map?.kind === "map" && map.value.shape.kind).toBe("double");
  });

  it("find errors by shape name and by query code", () => {
    const { errors } = models.get("sqs");
    expect(errors.get("QueueDoesNotExist")).toBe(errors.get("AWS.SimpleQueueService.NonExistentQueue"));
  });
});
