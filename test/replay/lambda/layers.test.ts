import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  ARCHIVE,
  callContext,
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  REGION,
  sha256,
  type LambdaFixture,
} from "../../support/lambda-service.ts";
import { rootPrincipal } from "../../../src/core/principal.ts";
import type { LambdaClientModule } from "../../../src/services/lambda/context.ts";
import type { OutputOf } from "../../../src/wire/operation.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const LayerName = "layer";
const arnOf = (name: string, version?: number) =>
  `arn:aws:lambda:${REGION}:${ACCOUNT}:layer:${name}${version === undefined ? "" : `:${version}`}`;

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

type PublishInput = Parameters<typeof lambda.call<"PublishLayerVersion">>[1];

const publish = (input: Partial<PublishInput> = {}) =>
  lambda.call("PublishLayerVersion", {
    LayerName,
    Content: { ZipFile: ARCHIVE },
    CompatibleRuntimes: ["python3.12"],
    CompatibleArchitectures: ["x86_64"],
    ...input,
  });

/** The recorder read the JSON in these members. */
async function parsed(outcome: Promise<unknown>): Promise<unknown> {
  const output = (await outcome) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(output).map(([name, value]) => [
      name,
      name === "Policy" || name === "Statement" ? JSON.parse(value as string) : value,
    ]),
  );
}

describe("layers", () => {
  test("test_layer_lifecycle", async () => {
    const recording = new Recording("layers", "test_layer_lifecycle");
    const FunctionName = "fn";
    await lambda.create(FunctionName, { Handler: "handler.handler", Timeout: 30, Environment: {} });
    await recording.expect("get_fn_result", lambda.call("GetFunction", { FunctionName }));
    await recording.expect("get_fn_config_result", lambda.call("GetFunctionConfiguration", { FunctionName }));
    const described = { Description: "a layer", LicenseInfo: "MIT" };
    await recording.expect("publish_result", publish(described));
    await recording.expect("publish_result_2", publish(described));
    await recording.expect("publish_result_3", publish(described));
    lambda.engine.hold();
    await recording.expect(
      "update_fn_config",
      lambda.call("UpdateFunctionConfiguration", { FunctionName, Layers: [arnOf(LayerName, 1)] }),
    );
    lambda.engine.release();
    await lambda.service.idle();
    await recording.expect("get_fn_config", lambda.call("GetFunctionConfiguration", { FunctionName }));
    await recording.expect(
      "get_layer_ver_result",
      lambda.call("GetLayerVersion", { LayerName, VersionNumber: 1 }),
    );
    await recording.expect(
      "get_layer_by_arn_version",
      lambda.call("GetLayerVersionByArn", { Arn: arnOf(LayerName, 1) }),
    );
    // Its third one was deleted by the scenario too, before it listed.
    await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 3 });
    const list = () => lambda.call("ListLayerVersions", { LayerName });
    await recording.expect("list_layer_versions_predelete", list());
    await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 1 });
    await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 2 });
    await recording.expect("list_layer_versions_postdelete", list());
    const config = lambda.call("GetFunctionConfiguration", { FunctionName });
    await recording.expect("get_fn_config_postdelete", config);
  });

  test("test_layer_function_exceptions", async () => {
    const recording = new Recording("layers", "test_layer_function_exceptions");
    const FunctionName = "fn";
    await lambda.create(FunctionName, { Handler: "handler.handler", Timeout: 30, Environment: {} });
    const bare = { CompatibleRuntimes: [] };
    for (const step of ["publish_result", "publish_result_2", "publish_result_3"])
      await recording.expect(step, publish(bare));
    await recording.expect("get_fn_result", lambda.call("GetFunction", { FunctionName }));
    const use = (...Layers: string[]) => lambda.call("UpdateFunctionConfiguration", { FunctionName, Layers });
    const [one, two, three] = [1, 2, 3].map((version) => arnOf(LayerName, version)) as [
      string,
      string,
      string,
    ];
    await recording.expect("two_layer_versions_single_function_exc", use(one, two));
    await recording.expect("three_layer_versions_single_function_exc", use(one, two, three));
    await recording.expect("two_identical_layer_versions_single_function_exc", use(one, one));
    await recording.expect("add_nonexistent_layer_exc", use(arnOf("doesnotexist", 1)));
    await recording.expect("add_nonexistent_layer_version_exc", use(arnOf(LayerName, 9)));
    const elsewhere = arnOf(LayerName, 1).replace(REGION, "eu-north-1");
    await recording.expect(
      "create_function_with_layer_in_different_region",
      lambda.call("CreateFunction", newFunction("other", { Layers: [elsewhere] })),
    );
  });

  test("test_layer_function_quota_exception", async () => {
    const recording = new Recording("layers", "test_layer_function_quota_exception");
    const Layers = [1, 2, 3, 4, 5, 6].map((number) => arnOf(`l${number}`, 1));
    const create = lambda.call("CreateFunction", newFunction("fn", { Layers }));
    await recording.expect("create_function_with_six_layers", create);
  });

  test("test_layer_policy_lifecycle", async () => {
    const recording = new Recording("layers", "test_layer_policy_lifecycle");
    await recording.expect("publish_result", publish());
    const version = { LayerName, VersionNumber: 1 };
    const add = (StatementId: string) =>
      lambda.call("AddLayerVersionPermission", {
        ...version,
        StatementId,
        Action: "lambda:GetLayerVersion",
        Principal: "*",
      });
    const get = () => lambda.call("GetLayerVersionPolicy", version);
    await recording.expect("add_policy_s1", parsed(add("s1")));
    await recording.expect("get_layer_version_policy", parsed(get()));
    await recording.expect("add_policy_s2", parsed(add("s2")));
    await recording.expect("get_layer_version_policy_postadd2", parsed(get()));
    const removal = lambda.call("RemoveLayerVersionPermission", { ...version, StatementId: "s2" });
    await recording.expect("remove_s2", removal);
    await recording.expect("get_layer_version_policy_postdeletes2", parsed(get()));
  });

  test("test_layer_policy_exceptions", async () => {
    const recording = new Recording("layers", "test_layer_policy_exceptions");
    await recording.expect("publish_result", publish());
    const version = { LayerName, VersionNumber: 1 };
    const add = (input: object = {}) =>
      lambda.call("AddLayerVersionPermission", {
        ...version,
        StatementId: "s1",
        Action: "lambda:GetLayerVersion",
        Principal: "*",
        ...input,
      });
    const get = (input: object = {}) => lambda.call("GetLayerVersionPolicy", { ...version, ...input });
    const remove = (input: object = {}) =>
      lambda.call("RemoveLayerVersionPermission", { ...version, StatementId: "s1", ...input });
    await recording.expect("layer_permission_nopolicy_get", get());
    await recording.expect("add_layer_permission_result", parsed(add()));
    await recording.expect("layer_permission_duplicate_statement", add());
    await recording.expect(
      "layer_permission_statementid_doesnotexist_remove",
      remove({ StatementId: "doesnotexist" }),
    );
    await recording.expect(
      "layer_permission_wrong_revision",
      add({ StatementId: "s2", RevisionId: "wrong" }),
    );
    await recording.expect("layer_permission_wrong_revision_remove", remove({ RevisionId: "wrong" }));
    const [absent, newer] = [{ LayerName: `${LayerName}-doesnotexist` }, { VersionNumber: 2 }];
    await recording.expect("layer_permission_layername_doesnotexist_add", add(absent));
    await recording.expect("layer_permission_layername_doesnotexist_get", get(absent));
    await recording.expect("layer_permission_layername_doesnotexist_remove", remove(absent));
    await recording.expect("layer_permission_layerversion_doesnotexist_add", add(newer));
    await recording.expect("layer_permission_layerversion_doesnotexist_get", get(newer));
    await recording.expect("layer_permission_layerversion_doesnotexist_remove", remove(newer));
  });

  test.each([0, 1, 2])("test_layer_compatibilities[runtimes%i]", async (index) => {
    const scenario = `test_layer_compatibilities[runtimes${index}]`;
    const recording = new Recording("layers", scenario);
    const recorded = recording.read("publish_result") as Required<Pick<PublishInput, "CompatibleRuntimes">>;
    const { CompatibleRuntimes } = recorded;
    await recording.expect(
      "publish_result",
      publish({ CompatibleRuntimes, CompatibleArchitectures: ["arm64", "x86_64"] }),
    );
  });
});

describe("beyond the recordings", () => {
  test("a function is given its layers in order, and keeps their code when they are deleted", async () => {
    await publish();
    await publish({ LayerName: "other", Content: { ZipFile: OTHER_ARCHIVE } });
    await lambda.create("fn", { Layers: [arnOf("other", 1), arnOf(LayerName, 1)] });
    await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 1 });
    await lambda.call("Invoke", { FunctionName: "fn" });
    const layers = lambda.engine.invocations[0]?.spec.layers ?? [];
    expect(layers.map(({ bytes }) => bytes)).toEqual([OTHER_ARCHIVE.length, ARCHIVE.length]);
    const again = lambda.call("CreateFunction", newFunction("again", { Layers: [arnOf(LayerName, 1)] }));
    expect((await errorOf(again)).message).toBe(`Layer version ${arnOf(LayerName, 1)} does not exist.`);
  });

  test("a deleted version's number is not used again", async () => {
    await publish();
    await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 1 });
    expect((await publish()).Version).toBe(2);
  });

  test("parallel publications each have a number of their own", async () => {
    const versions = await Promise.all(Array.from({ length: 20 }, () => publish()));
    expect(versions.map(({ Version }) => Version).toSorted((a, b) => (a ?? 0) - (b ?? 0))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test("another account uses a layer only where its policy says so", async () => {
    await publish();
    const theirs = callContext({ account: "222222222222", principal: rootPrincipal("222222222222") });
    const read = () => lambda.call("GetLayerVersionByArn", { Arn: arnOf(LayerName, 1) }, theirs);
    expect(await errorOf(read())).toMatchObject({ code: "AccessDeniedException", status: 403 });
    await lambda.call("AddLayerVersionPermission", {
      LayerName,
      VersionNumber: 1,
      StatementId: "s",
      Action: "lambda:GetLayerVersion",
      Principal: "222222222222",
    });
    expect((await read()).LayerVersionArn).toBe(arnOf(LayerName, 1));
    const deletion = lambda.call(
      "DeleteLayerVersion",
      { LayerName: arnOf(LayerName), VersionNumber: 1 },
      theirs,
    );
    expect(await errorOf(deletion)).toMatchObject({ code: "AccessDeniedException" });
  });

  test("lists show each layer's newest version that fits the filter, page by page", async () => {
    for (const name of ["a", "b", "c"]) {
      await publish({ LayerName: name });
      await publish({
        LayerName: name,
        CompatibleRuntimes: ["nodejs22.x"],
        CompatibleArchitectures: ["arm64"],
      });
    }
    const versionsOf = ({ Layers }: OutputOf<LambdaClientModule, "ListLayers">) =>
      Layers?.map(({ LatestMatchingVersion }) => LatestMatchingVersion?.Version);
    expect(versionsOf(await lambda.call("ListLayers", {}))).toEqual([2, 2, 2]);
    expect(versionsOf(await lambda.call("ListLayers", { CompatibleRuntime: "python3.12" }))).toEqual([
      1, 1, 1,
    ]);
    const filter = { CompatibleRuntime: "python3.12", CompatibleArchitecture: "arm64" } as const;
    expect(versionsOf(await lambda.call("ListLayers", filter))).toEqual([]);
    const first = await lambda.call("ListLayers", { MaxItems: 2 });
    expect(first.Layers?.map((layer) => layer.LayerName)).toEqual(["a", "b"]);
    const rest = await lambda.call("ListLayers", { MaxItems: 2, Marker: first.NextMarker });
    expect(rest.Layers?.map((layer) => layer.LayerName)).toEqual(["c"]);
    expect(rest.NextMarker).toBeUndefined();
    const page = await lambda.call("ListLayerVersions", { LayerName: "a", MaxItems: 1 });
    expect(page.LayerVersions?.map(({ Version }) => Version)).toEqual([2]);
    const next = await lambda.call("ListLayerVersions", {
      LayerName: "a",
      MaxItems: 1,
      Marker: page.NextMarker,
    });
    expect(next.LayerVersions?.map(({ Version }) => Version)).toEqual([1]);
  });

  test("code and layers together stay below 250 MB unpacked", async () => {
    lambda.engine.sizes.set(sha256(OTHER_ARCHIVE), 200_000_000);
    lambda.engine.sizes.set(sha256(ARCHIVE), 62_144_001);
    await publish({ Content: { ZipFile: OTHER_ARCHIVE } });
    const create = lambda.call("CreateFunction", newFunction("fn", { Layers: [arnOf(LayerName, 1)] }));
    expect((await errorOf(create)).message).toBe(
      "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size is 262144001 bytes.",
    );
    await publish({ LayerName: "other", Content: { ZipFile: OTHER_ARCHIVE } });
    const layers = [arnOf(LayerName, 1), arnOf("other", 1)];
    const both = lambda.call("CreateFunction", newFunction("fn", { Layers: layers }));
    expect((await errorOf(both)).message).toBe(
      "Layers consume more than the available size of 262144000 bytes",
    );
  });
});
