import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  createLambdaFixture,
  errorOf,
  newFunction,
  REGION,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const Resource = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn`;

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

const tag = (Tags: Record<string, string>, suffix = "") =>
  lambda.call("TagResource", { Resource: `${Resource}${suffix}`, Tags });
const untag = (...TagKeys: string[]) => lambda.call("UntagResource", { Resource, TagKeys });
const list = () => lambda.call("ListTags", { Resource });
const get = () => lambda.call("GetFunction", { FunctionName: "fn" });
const recorded = {
  Handler: "handler.handler",
  Timeout: 30,
  Environment: { Variables: {} },
};

describe("tags", () => {
  test("test_tag_lifecycle[lambda_function]", async () => {
    const recording = new Recording("tags", "test_tag_lifecycle[lambda_function]");
    await lambda.create("fn");
    const step = async (name: string, outcome: Promise<unknown>) => {
      await recording.expect(`${name}_response`, outcome);
      await recording.expect(`${name}_response_listtags`, list());
    };
    await step("tag_single", tag({ A: "tag-a" }));
    await step("tag_multiple", tag({ B: "tag-b", C: "tag-c" }));
    await step("tag_overlap", tag({ C: "tag-c-newsuffix", D: "tag-d" }));
    await step("untag_single", untag("A"));
    await step("untag_multiple", untag("B", "C"));
    await step("untag_nonexisting", untag("F"));
    await step("untag_existing_and_nonexisting", untag("D", "F"));
  });

  test("TestLambdaTags::test_tag_lifecycle", async () => {
    const recording = new Recording("tags", "TestLambdaTags::test_tag_lifecycle");
    await lambda.create("fn", { ...recorded, Tags: { key_a: "value_a" } });
    await recording.expect("list_tags_response_postfncreate", list());
    await recording.expect("get_fn_response_postfncreate", get());
    const added = { key_b: "value_b", key_c: "value_c", key_d: "value_d", key_e: "value_e" };
    await recording.expect("tag_resource_response", tag(added));
    await recording.expect("list_tags_response_postaddtags", list());
    await recording.expect("get_fn_response_postaddtags", get());
    await recording.expect("tag_resource_overwrite", tag({ key_c: "value_x" }));
    await recording.expect("list_tags_response_overwrite", list());
    await recording.expect("get_fn_response_overwrite", get());
    await untag("key_c", "key_d");
    await recording.expect("list_tags_response_postuntag", list());
    await recording.expect("get_fn_response_postuntag", get());
    await untag("key_a", "key_b", "key_e");
    await recording.expect("list_tags_response_postuntagall", list());
    await recording.expect("get_fn_response_postuntagall", get());
    await lambda.call("DeleteFunction", { FunctionName: "fn" });
    await recording.expect("list_tags_postdelete", list());
  });

  test("test_tag_limits", async () => {
    const recording = new Recording("tags", "test_tag_limits");
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}_key`, `${index}_value`]));
    await lambda.create("fn", recorded);
    await recording.expect("tag_lambda_too_many_tags", tag(many(51)));
    await recording.expect("tag_response", tag(many(50)));
    await recording.expect("list_tags_response", list());
    await recording.expect("get_fn_response", get());
    await recording.expect("tag_lambda_too_many_tags_additional", tag({ a_key: "a_value" }));
    const input = newFunction("other", { Tags: many(51) });
    await recording.expect("create_function_invalid_tags", lambda.call("CreateFunction", input));
    await expect(lambda.call("GetFunction", { FunctionName: "other" })).rejects.toThrow("Function not found");
  });

  test.each(["aws:team", "AWS:team"])("keys of AWS's own, such as %s", async (key) => {
    await lambda.create("fn", recorded);
    const refused = { code: "InvalidParameterValueException", status: 400 };
    expect(await errorOf(tag({ own: "a", [key]: "b" }))).toMatchObject(refused);
    expect(await list()).toMatchObject({ Tags: {} });
    const input = newFunction("other", { Tags: { [key]: "b" } });
    expect(await errorOf(lambda.call("CreateFunction", input))).toMatchObject(refused);
  });

  test("tags of versions and of functions that do not exist", async () => {
    const exceptions = new Recording("tags", "test_tag_exceptions[lambda_function]");
    await exceptions.expect("not_found_exception_tag", tag({ A: "a" }));
    await exceptions.expect("not_found_exception_untag", untag("A"));
    await exceptions.expect("not_found_exception_list", list());
    await exceptions.expect("aliased_arn_exception", tag({ A: "a" }, ":alias"));
    const versions = new Recording("tags", "test_tag_versions");
    await versions.expect("tag_resource_exception", tag({ A: "a" }, ":1"));
    await versions.expect("tag_resource_latest_exception", tag({ A: "a" }, ":$LATEST"));
  });
});
