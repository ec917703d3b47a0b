import { beforeEach, describe, expect, test } from "vitest";
import { ACCOUNT, createLambdaFixture, REGION, type LambdaFixture } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";

beforeEach(async () => {
  lambda = createLambdaFixture(storage());
  await lambda.create(FunctionName);
});

const putReserved = (ReservedConcurrentExecutions: number, name = FunctionName) =>
  lambda.call("PutFunctionConcurrency", { FunctionName: name, ReservedConcurrentExecutions });

const put = (Qualifier: string, ProvisionedConcurrentExecutions = 1) =>
  lambda.call("PutProvisionedConcurrencyConfig", {
    FunctionName,
    Qualifier,
    ProvisionedConcurrentExecutions,
  });

const get = (Qualifier: string) =>
  lambda.call("GetProvisionedConcurrencyConfig", { FunctionName, Qualifier });

async function unreserved(): Promise<number | undefined> {
  const { AccountLimit } = await lambda.call("GetAccountSettings", {});
  return AccountLimit?.UnreservedConcurrentExecutions;
}

describe("reserved concurrency", () => {
  test("test_lambda_concurrency_crud", async () => {
    const recording = new Recording("concurrency", "test_lambda_concurrency_crud");
    const read = () => lambda.call("GetFunctionConcurrency", { FunctionName });
    await recording.expect("get_function_concurrency_default", read());
    await recording.expect("put_function_concurrency", putReserved(0));
    await recording.expect("get_function_concurrency_updated", read());
    const { Concurrency } = await lambda.call("GetFunction", { FunctionName });
    expect(Concurrency).toEqual({ ReservedConcurrentExecutions: 0 });
    await lambda.call("DeleteFunctionConcurrency", { FunctionName });
    await recording.expect("get_function_concurrency_deleted", read());
    expect(await lambda.call("GetFunction", { FunctionName })).not.toHaveProperty("Concurrency");
  });

  test("test_function_concurrency_exceptions", async () => {
    const recording = new Recording("concurrency", "test_function_concurrency_exceptions");
    const step = "put_function_concurrency_with_function_name_doesnotexist";
    await recording.expect(step, putReserved(1, "doesnotexist"));
    await recording.expect(`${step}_and_invalid_concurrency`, putReserved(1001, "doesnotexist"));
    const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn:$LATEST`;
    await recording.expect("put_function_concurrency_with_qualified_arn", putReserved(1, arn));
  });

  test("test_function_concurrency_limits", async () => {
    const recording = new Recording("concurrency", "test_function_concurrency_limits");
    await recording.expect("put_function_concurrency_account_limit_exceeded", putReserved(1001));
    await recording.expect("put_function_concurrency_below_unreserved_min_value", putReserved(901));
    expect(await unreserved()).toBe(1000);
    await putReserved(900);
    expect(await unreserved()).toBe(100);
    // What is freed by the same change counts.
    await putReserved(899);
    await putReserved(900);
  });

  test("is the account's again once its function is deleted", async () => {
    await putReserved(900);
    await lambda.call("DeleteFunction", { FunctionName });
    expect(await unreserved()).toBe(1000);
    expect(lambda.engine.concurrency.get(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn`)).toMatchObject({
      reserved: undefined,
      provisioned: [],
    });
  });

  test("cannot be claimed twice by parallel requests", async () => {
    await lambda.create("other");
    const outcomes = await Promise.allSettled([putReserved(600), putReserved(600, "other")]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(await unreserved()).toBe(400);
  });
});

describe("provisioned concurrency", () => {
  beforeEach(async () => {
    await lambda.call("PublishVersion", { FunctionName });
  });

  test("test_lambda_provisioned_lifecycle", async () => {
    const recording = new Recording("concurrency", "test_lambda_provisioned_lifecycle");
    await lambda.call("CreateAlias", { FunctionName, Name: "alias", FunctionVersion: "1" });
    lambda.engine.hold();
    await recording.expect("put_provisioned_on_version", put("1"));
    await recording.expect("put_provisioned_on_alias_versionconflict", put("alias"));
    await lambda.call("DeleteProvisionedConcurrencyConfig", { FunctionName, Qualifier: "1" });
    await recording.expect("get_provisioned_version_postdelete", get("1"));
    await recording.expect("put_provisioned_on_alias", put("alias"));
    await recording.expect("put_provisioned_on_version_conflict", put("1"));
    await lambda.call("DeleteAlias", { FunctionName, Name: "alias" });
    await recording.expect("get_provisioned_alias_postaliasdelete", get("alias"));
    const list = lambda.call("ListProvisionedConcurrencyConfigs", { FunctionName });
    await recording.expect("list_response_postdeletes", list);
    expect(await unreserved()).toBe(1000);
  });

  test.each(["test_provisioned_concurrency", "test_provisioned_concurrency_on_alias"])("%s", async (name) => {
    const recording = new Recording("concurrency", name);
    await lambda.call("CreateAlias", { FunctionName, Name: "alias", FunctionVersion: "1" });
    const qualifier = name.endsWith("alias") ? "alias" : "1";
    lambda.engine.hold();
    await recording.expect("put_provisioned_5", put(qualifier, 5));
    await recording.expect("get_provisioned_prewait", get(qualifier));
    lambda.engine.release();
    await recording.expect("get_provisioned_postwait", get(qualifier));
    expect(await unreserved()).toBe(995);
  });

  test("test_provisioned_concurrency_limits", async () => {
    const recording = new Recording("concurrency", "test_provisioned_concurrency_limits");
    await recording.expect("put_provisioned_concurrency_account_limit_exceeded", put("1", 1001));
    await recording.expect("put_provisioned_concurrency_below_unreserved_min_value", put("1", 901));
  });

  test("is not for $LATEST, nor for aliases that point to it or share invocations out", async () => {
    const unpublished = "Provisioned Concurrency Configs cannot be applied to unpublished function versions.";
    await expect(put("$LATEST")).rejects.toThrow(unpublished);
    await lambda.call("CreateAlias", { FunctionName, Name: "latest", FunctionVersion: "$LATEST" });
    await expect(put("latest")).rejects.toThrow(unpublished);
    await expect(get("$LATEST")).rejects.toThrow(
      "The function resource provided must be an alias or a published version.",
    );
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    await lambda.service.idle();
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.call("CreateAlias", {
      FunctionName,
      Name: "weighted",
      FunctionVersion: "1",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.5 } },
    });
    await expect(put("weighted")).rejects.toThrow(
      "Alias with weights can not be used with Provisioned Concurrency",
    );
    await expect(put("9")).rejects.toThrow("Function not found");
    await expect(put("nothere")).rejects.toThrow("Cannot find alias arn");
  });

  test("is part of what is reserved, and never more", async () => {
    await putReserved(5);
    await expect(put("1", 6)).rejects.toThrow(
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
    );
    await put("1", 5);
    expect(await unreserved()).toBe(995);
    await expect(putReserved(4)).rejects.toThrow(
      "should not be lower than function's total provisioned concurrency [5].",
    );
    await lambda.call("DeleteFunctionConcurrency", { FunctionName });
    expect(await unreserved()).toBe(995);
  });

  test("moves with its alias, by weight where the alias has two versions", async () => {
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
    await put("live", 10);
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    await lambda.service.idle();
    await lambda.call("PublishVersion", { FunctionName });
    const targets = () =>
      lambda.engine.concurrency
        .get(`arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn`)
        ?.provisioned[0]?.targets.map(({ spec, count }) => [spec.version, count]);
    await lambda.call("UpdateAlias", {
      FunctionName,
      Name: "live",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.3 } },
    });
    expect(targets()).toEqual([
      ["1", 7],
      ["2", 3],
    ]);
    await lambda.call("UpdateAlias", {
      FunctionName,
      Name: "live",
      FunctionVersion: "2",
      RoutingConfig: { AdditionalVersionWeights: {} },
    });
    expect(targets()).toEqual([["2", 10]]);
    await put("1");
    await expect(
      lambda.call("UpdateAlias", { FunctionName, Name: "live", FunctionVersion: "1" }),
    ).rejects.toThrow("already Provisioned version");
  });

  test("is listed page by page, and set again after a start", async () => {
    for (const name of ["a", "b"])
      await lambda.call("CreateAlias", { FunctionName, Name: name, FunctionVersion: "1" });
    await put("a", 2);
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 9 });
    await lambda.service.idle();
    await lambda.call("PublishVersion", { FunctionName });
    await put("2", 3);
    const first = await lambda.call("ListProvisionedConcurrencyConfigs", { FunctionName, MaxItems: 1 });
    expect(first.ProvisionedConcurrencyConfigs).toMatchObject([
      {
        FunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn:2`,
        RequestedProvisionedConcurrentExecutions: 3,
        Status: "READY",
      },
    ]);
    const second = await lambda.call("ListProvisionedConcurrencyConfigs", {
      FunctionName,
      MaxItems: 1,
      Marker: first.NextMarker,
    });
    expect(second.ProvisionedConcurrencyConfigs).toMatchObject([
      { FunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn:a` },
    ]);
    expect(second).not.toHaveProperty("NextMarker");

    const restarted = createLambdaFixture(storage());
    await restarted.service.resume();
    expect([...restarted.engine.concurrency.values()]).toEqual([...lambda.engine.concurrency.values()]);
  });
});
