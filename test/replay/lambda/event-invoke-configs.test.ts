import { beforeEach, describe, expect, test } from "vitest";
import { AwsError } from "../../../src/core/errors.ts";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const fn = "fn";
const arnOf = (name: string, service = "lambda") =>
  `arn:aws:${service}:${REGION}:${ACCOUNT}:function:${name}`;

type Input = Partial<Parameters<typeof lambda.call<"PutFunctionEventInvokeConfig">>[1]>;

beforeEach(async () => {
  lambda = createLambdaFixture(storage());
  await lambda.create(fn, { Handler: "handler.handler", Timeout: 30, Environment: {} });
});

const put = (input: Input) => lambda.call("PutFunctionEventInvokeConfig", { FunctionName: fn, ...input });
const update = (input: Input) =>
  lambda.call("UpdateFunctionEventInvokeConfig", { FunctionName: fn, ...input });
const get = (input: Input = {}) =>
  lambda.call("GetFunctionEventInvokeConfig", { FunctionName: fn, ...input });
const remove = (input: Input = {}) =>
  lambda.call("DeleteFunctionEventInvokeConfig", { FunctionName: fn, ...input });
const list = (FunctionName = fn) => lambda.call("ListFunctionEventInvokeConfigs", { FunctionName });
const onSuccess = (Destination?: string) => ({ DestinationConfig: { OnSuccess: { Destination } } });

describe("event invoke configs", () => {
  test("test_lambda_eventinvokeconfig_lifecycle", async () => {
    const recording = new Recording("event-invoke-configs", "test_lambda_eventinvokeconfig_lifecycle");
    await recording.expect("put_invokeconfig_retries_0", put({ MaximumRetryAttempts: 0 }));
    await recording.expect("put_invokeconfig_eventage_60", put({ MaximumEventAgeInSeconds: 60 }));
    const age = update({ MaximumEventAgeInSeconds: 60 });
    await recording.expect("update_invokeconfig_eventage_nochange", age);
    await recording.expect("update_invokeconfig_retries", update({ MaximumRetryAttempts: 1 }));
    await recording.expect("get_invokeconfig", get());
    await recording.expect("get_invokeconfig_latest", get({ Qualifier: "$LATEST" }));
    await recording.expect("list_single_invokeconfig", list());
    await recording.expect("publish_version_result", lambda.call("PublishVersion", { FunctionName: fn }));
    const Qualifier = "1";
    await recording.expect("get_invokeconfig_postpublish", get({ Qualifier }));
    await recording.expect("put_published_invokeconfig", put({ Qualifier, MaximumEventAgeInSeconds: 120 }));
    await recording.expect("get_published_invokeconfig", get({ Qualifier }));
    await remove();
    await recording.expect("list_paging_nolimit_postdelete", list());
  });

  test("test_lambda_eventinvokeconfig_exceptions", async () => {
    const recording = new Recording("event-invoke-configs", "test_lambda_eventinvokeconfig_exceptions");
    await lambda.create("other");
    const FunctionName = "doesnotexist";
    const MaximumRetryAttempts = 1;
    const one = { MaximumRetryAttempts };
    await recording.expect("put_functionname_name_notfound", put({ FunctionName, ...one }));
    const byArn = put({ FunctionName: arnOf(FunctionName), ...one });
    await recording.expect("put_functionname_arn_notfound", byArn);
    await recording.expect("put_functionname_nootherargs", put({}));

    const absent = put(onSuccess(arnOf(FunctionName)));
    await recording.expect("put_destination_lambda_doesntexist", absent);
    await recording.expect("put_destination_recursive", put(onSuccess(arnOf(fn))));
    await recording.expect("put_destination_other_lambda", put(onSuccess(arnOf("other"))));
    await recording.expect("put_destination_invalid_service_arn", put(onSuccess(arnOf(fn, "iam"))));
    await recording.expect("put_destination_success_no_destination_arn", put(onSuccess()));
    const noFailure = put({ DestinationConfig: { OnFailure: { Destination: undefined } } });
    await recording.expect("put_destination_failure_no_destination_arn", noFailure);

    const published = lambda.call("PublishVersion", { FunctionName: fn });
    await recording.expect("fn_version_result", published);
    const Name = "eventinvokealias";
    const alias = lambda.call("CreateAlias", { FunctionName: fn, Name, FunctionVersion: "1" });
    await recording.expect("fn_alias_result", alias);
    await recording.expect("put_alias_doesnotexist", put({ Qualifier: "absent", ...one }));

    const named = (step: string, FunctionName: string, Qualifier?: string) =>
      recording.expect(step, put({ FunctionName, Qualifier, ...one }));
    await named("put_destination_latest", fn);
    await named("put_destination_latest_explicit_qualifier", fn, "$LATEST");
    await named("put_shorthand_qualifier_match", `${fn}:$LATEST`, "$LATEST");
    await named("put_shorthand_qualifier_mismatch_1", `${fn}:1`, "$LATEST");
    await named("put_shorthand_qualifier_mismatch_2", `${fn}:$LATEST`, "1");
    await named("put_shorthand_qualifier_mismatch_3", `${fn}:$LATEST`, Name);
    await named("put_destination_version", fn, "1");
    await named("put_version_shorthand", `${fn}:1`);
    await named("put_alias_functionname_qualifier", fn, Name);
    await named("put_alias_qualifiedarn", arnOf(`${fn}:${Name}`));
    await named("put_alias_qualifiedarn_qualifier", arnOf(`${fn}:${Name}`), Name);
    await named("put_alias_qualifiedarn_qualifierconflict", arnOf(`${fn}:${Name}`), "other");
    await named("put_alias_shorthand", `${fn}:${Name}`);
    await named("put_alias_shorthand_qualifier", `${fn}:${Name}`, Name);
    await named("put_alias_shorthand_qualifierconflict", `${fn}:${Name}`, "other");

    await recording.expect(
      "put_maxevent_maxvalue_result",
      put({ MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 21_600 }),
    );
    const full = { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 60 };
    await recording.expect("put_pre_overwrite", put(full));
    await recording.expect("put_post_overwrite", put({ MaximumRetryAttempts: 0 }));
    await recording.expect("second_overwrite_existing_response", put({ MaximumRetryAttempts: 0 }));
    await recording.expect("get_post_overwrite", get());
    await recording.expect("pre_update_response", put(full));
    await recording.expect("update_response", update({ MaximumRetryAttempts: 0 }));
    await recording.expect("update_response_existing", update({ MaximumRetryAttempts: 0 }));

    await recording.expect("get_function_doesnotexist", get({ FunctionName }));
    await recording.expect("get_qualifier_doesnotexist", get({ Qualifier: FunctionName }));
    await recording.expect("list_configs", list());
    await recording.expect("list_function_doesnotexist", list(FunctionName));
    await recording.expect("delete_function_doesnotexist", remove({ FunctionName }));
    expect(await remove()).toEqual({});
    expect(await remove({ Qualifier: "1" })).toEqual({});
    expect(await remove({ Qualifier: Name })).toEqual({});
    await recording.expect("delete_function_not_found", remove());
    await recording.expect("list_configs_postdelete", list());
    await recording.expect("get_eventinvokeconfig_doesnotexist", get({ Qualifier: Name }));
    await recording.expect(
      "update_eventinvokeconfig_function_doesnotexist",
      update({ FunctionName, ...one }),
    );
    await recording.expect(
      "update_eventinvokeconfig_config_doesnotexist_with_qualifier",
      update({ Qualifier: Name, ...one }),
    );
    await recording.expect("update_eventinvokeconfig_config_doesnotexist_without_qualifier", update(one));
  });
});

describe("beyond the recordings", () => {
  test.each([
    ["sqs", "GetQueueAttributes", "QueueDoesNotExist"],
    ["sns", "GetTopicAttributes", "NotFound"],
  ])("a destination of %s must exist, as far as the caller may know", async (service, operation, code) => {
    const Destination = `arn:aws:${service}:${REGION}:${ACCOUNT}:name`;
    lambda.answers.set(`${service}.${operation}`, new AwsError(code, "There is none."));
    expect(await errorOf(put(onSuccess(Destination)))).toMatchObject({
      code: "InvalidParameterValueException",
      message: `The destination ARN ${Destination} is invalid.`,
    });
    lambda.answers.set(`${service}.${operation}`, new AwsError("AccessDenied", "Not for you."));
    await put(onSuccess(Destination));
  });

  test("an event bus is refused while there is no such service, and a bucket takes failures alone", async () => {
    const bus = `arn:aws:events:${REGION}:${ACCOUNT}:event-bus/name`;
    expect(await errorOf(put(onSuccess(bus)))).toMatchObject({
      message: `The destination ARN ${bus} is invalid.`,
    });
    const bucket = "arn:aws:s3:::bucket";
    expect(await errorOf(put(onSuccess(bucket)))).toMatchObject({
      message: `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${bucket}), onFailure=null) is invalid.`,
    });
    await put({ DestinationConfig: { OnFailure: { Destination: bucket } } });
  });

  test("pages follow one another", async () => {
    for (let version = 0; version < 3; version++) {
      await lambda.call("UpdateFunctionConfiguration", { FunctionName: fn, Description: `${version}` });
      await lambda.service.idle();
      const { Version } = await lambda.call("PublishVersion", { FunctionName: fn });
      await put({ Qualifier: Version, MaximumRetryAttempts: 1 });
    }
    const seen: unknown[] = [];
    let Marker: string | undefined;
    do {
      const page = await lambda.call("ListFunctionEventInvokeConfigs", {
        FunctionName: fn,
        MaxItems: 1,
        Marker,
      });
      seen.push(...(page.FunctionEventInvokeConfigs ?? []).map(({ FunctionArn }) => FunctionArn));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(seen).toEqual([1, 2, 3].map((version) => arnOf(`${fn}:${version}`)));
  });
});

describe("recursion and runtime management", () => {
  test("TestLambdaRecursion", async () => {
    const FunctionName = fn;
    const read = () => lambda.call("GetFunctionRecursionConfig", { FunctionName });
    const start = new Recording("recursion", "test_put_function_recursion_config_default_terminate");
    await start.expect("get_recursion_default_terminate_response", read());
    const allowed = new Recording("recursion", "test_put_function_recursion_config_allow");
    const allow = lambda.call("PutFunctionRecursionConfig", { FunctionName, RecursiveLoop: "Allow" });
    await allowed.expect("put_recursion_config_response", allow);
    await allowed.expect("get_recursion_config_response", read());
    await lambda.call("PutFunctionRecursionConfig", { FunctionName, RecursiveLoop: "Terminate" });
    await start.expect("get_recursion_default_terminate_response", read());
  });

  test("a runtime is pinned to the version that there is, and to no other", async () => {
    const FunctionName = fn;
    const read = () => lambda.call("GetRuntimeManagementConfig", { FunctionName });
    const FunctionArn = arnOf(`${fn}:$LATEST`);
    expect(await read()).toEqual({ UpdateRuntimeOn: "Auto", FunctionArn });
    const { RuntimeVersionConfig } = await lambda.call("GetFunctionConfiguration", { FunctionName });
    const RuntimeVersionArn = RuntimeVersionConfig?.RuntimeVersionArn;
    const manual = { FunctionName, UpdateRuntimeOn: "Manual" } as const;
    const pinned = { UpdateRuntimeOn: "Manual", FunctionArn, RuntimeVersionArn };
    expect(await lambda.call("PutRuntimeManagementConfig", { ...manual, RuntimeVersionArn })).toEqual(pinned);
    expect(await read()).toEqual(pinned);
    const other = `${RuntimeVersionArn?.slice(0, -1)}!`;
    for (const input of [
      manual,
      { ...manual, RuntimeVersionArn: other },
      { ...manual, UpdateRuntimeOn: "Auto", RuntimeVersionArn } as const,
    ])
      expect((await errorOf(lambda.call("PutRuntimeManagementConfig", input))).code).toBe(
        "InvalidParameterValueException",
      );
    expect(await read()).toEqual(pinned);
    await lambda.call("PutRuntimeManagementConfig", { FunctionName, UpdateRuntimeOn: "FunctionUpdate" });
    expect(await read()).toEqual({ UpdateRuntimeOn: "FunctionUpdate", FunctionArn });
  });
});
