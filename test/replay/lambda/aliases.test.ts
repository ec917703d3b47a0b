import { beforeEach, describe, test } from "vitest";
import {
  ACCOUNT,
  createLambdaFixture,
  newFunction,
  REGION,
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

async function createStaging(recording: Recording): Promise<void> {
  const input = newFunction("fn", { Environment: { Variables: { testenv: "staging" } } });
  await recording.expect("create_response", lambda.call("CreateFunction", input));
  await lambda.service.idle();
}

describe("aliases", () => {
  test("test_alias_lifecycle", async () => {
    const recording = new Recording("aliases", "test_alias_lifecycle");
    const alias = (Name: string, FunctionVersion: string, Description?: string) =>
      lambda.call("CreateAlias", { FunctionName, Name, FunctionVersion, Description });
    const get = (Name: string) => lambda.call("GetAlias", { FunctionName, Name });
    const list = (FunctionVersion?: string) => lambda.call("ListAliases", { FunctionName, FunctionVersion });

    await createStaging(recording);
    await recording.expect("publish_v1", lambda.call("PublishVersion", { FunctionName }));
    await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      Environment: { Variables: { testenv: "prod" } },
    });
    await lambda.service.idle();
    await recording.expect("publish_v2", lambda.call("PublishVersion", { FunctionName }));
    const weighted = lambda.call("CreateAlias", {
      FunctionName,
      Name: "aliasname1_1",
      FunctionVersion: "1",
      Description: "custom-alias",
      RoutingConfig: { AdditionalVersionWeights: { "2": 0.2 } },
    });
    await recording.expect("create_alias_1_1", weighted);
    await recording.expect("get_alias_1_1", get("aliasname1_1"));
    const qualified = lambda.call("GetFunction", { FunctionName, Qualifier: "aliasname1_1" });
    await recording.expect("get_function_alias_1_1", qualified);
    const arn = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn`;
    const byArn = lambda.call("GetFunction", { FunctionName: `${arn}:aliasname1_1` });
    await recording.expect("get_function_byarn_alias_1_1", byArn);
    await recording.expect(
      "get_function_alias_notfound_exc",
      lambda.call("GetFunction", { FunctionName, Qualifier: "aliasdoesnotexist" }),
    );
    await recording.expect(
      "get_function_alias_byarn_notfound_exc",
      lambda.call("GetFunction", { FunctionName: `${arn}:aliasdoesnotexist` }),
    );
    await recording.expect("create_alias_1_2", alias("aliasname1_2", "1", "custom-alias"));
    await recording.expect("get_alias_1_2", get("aliasname1_2"));
    await recording.expect("create_alias_1_3", alias("aliasname1_3", "1"));
    await recording.expect("get_alias_1_3", get("aliasname1_3"));
    await recording.expect("create_alias_2", alias("aliasname2", "2", "custom-alias"));
    await recording.expect("get_alias_2", get("aliasname2"));
    await recording.expect("list_aliases_for_fnname", list());
    const unweighted = lambda.call("UpdateAlias", {
      FunctionName,
      Name: "aliasname1_1",
      RoutingConfig: { AdditionalVersionWeights: {} },
    });
    await recording.expect("update_alias_1_1", unweighted);
    await recording.expect("get_alias_1_1_after_update", get("aliasname1_1"));
    await recording.expect("list_aliases_for_fnname_after_update", list());
    const same = lambda.call("UpdateAlias", { FunctionName, Name: "aliasname1_2" });
    await recording.expect("update_alias_1_2", same);
    await recording.expect("get_alias_1_2_after_update", get("aliasname1_2"));
    await recording.expect("list_aliases_for_fnname_after_update_2", list());
    await recording.expect("list_aliases_for_version", list("1"));
    await lambda.call("DeleteAlias", { FunctionName, Name: "aliasname1_1" });
    await recording.expect("list_aliases_for_fnname_afterdelete", list());
  });

  test("test_alias_naming", async () => {
    const recording = new Recording("aliases", "test_alias_naming");
    await createStaging(recording);
    await recording.expect("publish_v1", lambda.call("PublishVersion", { FunctionName }));
    const Name = "2024-01-02";
    await recording.expect(
      "create_alias_date",
      lambda.call("CreateAlias", { FunctionName, Name, FunctionVersion: "1", Description: "custom-alias" }),
    );
    await recording.expect("get_alias_date", lambda.call("GetAlias", { FunctionName, Name }));
  });

  test("aliases that do not exist", async () => {
    await createStaging(new Recording("aliases", "test_non_existent_alias_deletion"));
    const deletion = new Recording("aliases", "test_non_existent_alias_deletion");
    const Name = "non-existent";
    await deletion.expect("delete_alias_response", lambda.call("DeleteAlias", { FunctionName, Name }));
    const update = new Recording("aliases", "test_non_existent_alias_update");
    await update.expect("update_alias_response", lambda.call("UpdateAlias", { FunctionName, Name }));
  });
});
