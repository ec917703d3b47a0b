import { beforeEach, describe, test } from "vitest";
import {
  createLambdaFixture,
  newFunction,
  OTHER_ARCHIVE,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

describe("versions", () => {
  test("test_version_lifecycle", async () => {
    const recording = new Recording("versions", "test_version_lifecycle");
    const get = (Qualifier?: string) => lambda.call("GetFunction", { FunctionName, Qualifier });
    const list = () => lambda.call("ListVersionsByFunction", { FunctionName });
    const describe = (Description: string) =>
      lambda.call("UpdateFunctionConfiguration", { FunctionName, Description });

    const input = newFunction("fn", { Description: "No version :(" });
    await recording.expect("create_response", lambda.call("CreateFunction", input));
    await lambda.service.idle();
    await recording.expect("get_function_result", get());
    await recording.expect("list_versions_result", list());
    await recording.expect("first_update_response", describe("First version :)"));
    await lambda.service.idle();
    await recording.expect("first_update_get_function", get());
    const Description = "First version description :)";
    await recording.expect(
      "first_publish_response",
      lambda.call("PublishVersion", { FunctionName, Description }),
    );
    await recording.expect("first_publish_get_function", get("1"));
    await recording.expect(
      "first_publish_get_function_config",
      lambda.call("GetFunctionConfiguration", { FunctionName, Qualifier: "1" }),
    );
    await recording.expect("second_update_response", describe("Second version :))"));
    await lambda.service.idle();
    await recording.expect("first_publish_get_function_after_update", get("1"));
    await recording.expect("second_publish_response", lambda.call("PublishVersion", { FunctionName }));
    await recording.expect("third_publish_response", lambda.call("PublishVersion", { FunctionName }));
    await recording.expect("list_versions_result_after_third_publish", list());
    await lambda.call("DeleteFunction", { FunctionName, Qualifier: "1" });
    await recording.expect("list_versions_result_after_deletion_of_first_version", list());
  });

  test("test_publish_version_on_create", async () => {
    const recording = new Recording("versions", "test_publish_version_on_create");
    const input = newFunction("fn", { Publish: true });
    await recording.expect("create_response", lambda.call("CreateFunction", input));
    await lambda.service.idle();
    const get = (Qualifier?: string) => lambda.call("GetFunction", { FunctionName, Qualifier });
    await recording.expect("get_function_result", get());
    await recording.expect("get_function_version_result", get("1"));
    await recording.expect("get_function_latest_result", get("$LATEST"));
    const list = () => lambda.call("ListVersionsByFunction", { FunctionName });
    await recording.expect("list_versions_result", list());
    await recording.expect("repeated_publish_response", lambda.call("PublishVersion", { FunctionName }));
    await recording.expect("list_versions_result_after_publish", list());
  });

  test("test_publish_with_update", async () => {
    const recording = new Recording("versions", "test_publish_with_update");
    await recording.expect("create_response", lambda.call("CreateFunction", newFunction("fn")));
    await lambda.service.idle();
    const get = (Qualifier?: string) => lambda.call("GetFunction", { FunctionName, Qualifier });
    await recording.expect("get_function_result", get());
    lambda.engine.hold();
    const update = lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE, Publish: true });
    await recording.expect("update_function_code_result", update);
    await recording.expect("get_function_version_result", get("1"));
    await recording.expect("get_function_latest_result", get("$LATEST"));
    lambda.engine.release();
    await lambda.service.idle();
  });

  test("test_function_revisions_version_and_alias", async () => {
    const recording = new Recording("versions", "test_function_revisions_version_and_alias");
    const input = newFunction("fn", {
      Handler: "handler.handler",
      Timeout: 30,
      Environment: { Variables: {} },
    });
    const created = await lambda.call("CreateFunction", input);
    await recording.expect("create_function_response_rev1", Promise.resolve(created));
    await lambda.service.idle();
    const get = (Qualifier?: string) => lambda.call("GetFunction", { FunctionName, Qualifier });
    const active = await get();
    await recording.expect("get_function_active_rev2", Promise.resolve(active));
    const publish = (RevisionId: string | undefined) =>
      lambda.call("PublishVersion", { FunctionName, RevisionId });
    await recording.expect("publish_version_revision_exception", publish(created.RevisionId));
    await recording.expect("publish_version_response_rev_v1", publish(active.Configuration?.RevisionId));
    await recording.expect("get_function_published_version_rev_v2", get("1"));
    await recording.expect("get_function_latest_rev3", get());
    const alias = await lambda.call("CreateAlias", {
      FunctionName,
      Name: "revision_alias",
      FunctionVersion: "1",
    });
    await recording.expect("create_alias_response_rev_a1", Promise.resolve(alias));
    await recording.expect("get_function_published_version_rev_v3", get("1"));
    await recording.expect("get_function_latest_rev4", get());
    const update = (RevisionId: string | undefined) =>
      lambda.call("UpdateAlias", {
        FunctionName,
        Name: "revision_alias",
        RevisionId,
        Description: "something changed",
      });
    await recording.expect("update_alias_revision_exception", update("wrong"));
    await recording.expect("update_alias_response_rev_a2", update(alias.RevisionId));
  });
});
