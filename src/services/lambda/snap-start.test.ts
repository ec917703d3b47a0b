import { beforeEach, describe, expect, test } from "vitest";
import {
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  type LambdaFixture,
} from "../../../test/support/lambda-service.ts";
import { withStorage } from "../../../test/support/storage.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";
const SnapStart = { ApplyOn: "PublishedVersions" } as const;

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

const read = (Qualifier?: string) => lambda.call("GetFunctionConfiguration", { FunctionName, Qualifier });

describe("a function with SnapStart", () => {
  test("has it on published versions, which are Pending until they have been initialised", async () => {
    await lambda.create("fn", { Runtime: "python3.13", SnapStart });
    expect(await read()).toMatchObject({
      State: "Active",
      SnapStart: { ApplyOn: "PublishedVersions", OptimizationStatus: "Off" },
    });
    expect(lambda.engine.snapshots).toEqual([]);

    lambda.engine.hold();
    const published = await lambda.call("PublishVersion", { FunctionName });
    expect(published).toMatchObject({
      Version: "1",
      State: "Pending",
      StateReason: "The function is being created.",
      StateReasonCode: "Creating",
      SnapStart: { ApplyOn: "PublishedVersions", OptimizationStatus: "On" },
    });
    expect(
      await errorOf(lambda.call("Invoke", { FunctionName, Qualifier: "1", Payload: Buffer.from("{}") })),
    ).toMatchObject({ code: "ResourceConflictException" });
    // The same again is the same version, and is initialised once.
    expect(await lambda.call("PublishVersion", { FunctionName })).toMatchObject({ Version: "1" });
    lambda.engine.release();
    await lambda.service.idle();
    expect(await read("1")).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
    expect(lambda.engine.snapshots[0]).toMatchObject({ version: "1", snapStart: true });
  });

  test("fails a version whose init fails, and leaves $LATEST as it is", async () => {
    await lambda.create("fn", { Runtime: "java21", SnapStart });
    lambda.engine.initialises = false;
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE, Publish: true });
    await lambda.service.idle();
    expect(await read("1")).toMatchObject({
      State: "Failed",
      StateReason: "An error occurred during function initialization.",
      StateReasonCode: "FunctionError",
    });
    expect(await read()).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
  });

  test("has it switched on and off by an update, for versions that come later", async () => {
    await lambda.create("fn", { Runtime: "python3.12" });
    const update = (ApplyOn: "PublishedVersions" | "None") =>
      lambda.call("UpdateFunctionConfiguration", { FunctionName, SnapStart: { ApplyOn } });
    expect(await update("PublishedVersions")).toMatchObject({
      SnapStart: { ApplyOn: "PublishedVersions", OptimizationStatus: "Off" },
      LastUpdateStatus: "InProgress",
    });
    await lambda.service.idle();
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.service.idle();
    await update("None");
    await lambda.service.idle();
    expect((await lambda.call("PublishVersion", { FunctionName })).State).toBe("Active");
    expect((await read("1")).SnapStart).toEqual({ ApplyOn: "PublishedVersions", OptimizationStatus: "On" });
    expect((await read("2")).SnapStart).toEqual({ ApplyOn: "None", OptimizationStatus: "Off" });
    expect(lambda.engine.snapshots).toHaveLength(1);
  });

  test.each([
    ["nodejs22.x", "nodejs22.x is not supported for SnapStart enabled functions."],
    ["ruby3.4", "ruby3.4 is not supported for SnapStart enabled functions."],
    ["provided.al2023", "provided.al2023 is not supported for SnapStart enabled functions."],
    ["python3.11", "python3.11 is not supported for SnapStart enabled functions."],
    ["java8.al2", "java8.al2 is not supported for SnapStart enabled functions."],
  ] as const)("is refused for %s", async (Runtime, message) => {
    const refusal = { code: "InvalidParameterValueException", status: 400, type: "User", message };
    const created = lambda.call("CreateFunction", newFunction("fn", { Runtime, SnapStart }));
    expect(await errorOf(created)).toEqual(refusal);
    await lambda.create("fn", { Runtime });
    expect(await errorOf(lambda.call("UpdateFunctionConfiguration", { FunctionName, SnapStart }))).toEqual(
      refusal,
    );
    await lambda.create("other", { Runtime: "java21", SnapStart });
    const moved = lambda.call("UpdateFunctionConfiguration", { FunctionName: "other", Runtime });
    expect(await errorOf(moved)).toEqual(refusal);
  });

  test("is refused for container images", async () => {
    const image = newFunction("fn", {
      PackageType: "Image",
      Runtime: undefined,
      Handler: undefined,
      Code: { ImageUri: "registry/repository:tag" },
      SnapStart,
    });
    expect(await errorOf(lambda.call("CreateFunction", image))).toMatchObject({
      code: "InvalidParameterValueException",
      message: "ContainerImage is not supported for SnapStart enabled functions.",
    });
  });

  test("is refused more ephemeral storage than the default", async () => {
    const large = { Runtime: "python3.13", SnapStart, EphemeralStorage: { Size: 513 } } as const;
    expect(await errorOf(lambda.call("CreateFunction", newFunction("fn", large)))).toMatchObject({
      code: "InvalidParameterValueException",
      message: expect.stringContaining("EphemeralStorage") as string,
    });
  });

  test("is refused provisioned concurrency, on its versions and on aliases of them", async () => {
    await lambda.create("fn", { Runtime: "python3.13", SnapStart, Publish: true });
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
    for (const Qualifier of ["1", "live"]) {
      const put = lambda.call("PutProvisionedConcurrencyConfig", {
        FunctionName,
        Qualifier,
        ProvisionedConcurrentExecutions: 1,
      });
      // oxlint-disable-next-line no-await-in-loop
      expect(await errorOf(put)).toMatchObject({
        code: "InvalidParameterValueException",
        message: expect.stringContaining("SnapStart") as string,
      });
    }
  });
});
