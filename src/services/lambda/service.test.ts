import { beforeEach, describe, expect, test } from "vitest";
import {
  ACCOUNT,
  ARCHIVE,
  createLambdaFixture,
  errorOf,
  newFunction,
  OTHER_ARCHIVE,
  REGION,
  type LambdaFixture,
} from "../../../test/support/lambda-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { until } from "../../../test/support/until.ts";
import { AwsError } from "#core/errors";
import { rootPrincipal } from "#core/principal";
import { createDownloadLinks } from "./download-links.ts";

const storage = withStorage();
let lambda: LambdaFixture;
const FunctionName = "fn";

beforeEach(() => {
  lambda = createLambdaFixture(storage());
});

describe("creating", () => {
  test("refuses a name that is taken, whoever was faster", async () => {
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => lambda.call("CreateFunction", newFunction("fn"))),
    );
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused).toHaveLength(3);
    expect(await errorOf(lambda.call("CreateFunction", newFunction("fn")))).toEqual({
      code: "ResourceConflictException",
      status: 409,
      type: "User",
      message: "Function already exist: fn",
    });
    await lambda.service.idle();
  });

  test.each([
    ["VpcConfig", { VpcConfig: { SubnetIds: ["subnet-1"] } }],
    ["KMSKeyArn", { KMSKeyArn: "arn:aws:kms:us-east-1:111111111111:key/1" }],
    ["FileSystemConfigs", { FileSystemConfigs: [{ Arn: "arn", LocalMountPath: "/mnt/a" }] }],
  ] as const)("refuses %s, which nothing would obey", async (member, input) => {
    const outcome = await errorOf(lambda.call("CreateFunction", newFunction("fn", input as object)));
    expect(outcome.code).toBe("InvalidParameterValueException");
    expect(outcome.message).toContain(member);
    expect(await errorOf(lambda.call("GetFunction", { FunctionName }))).toMatchObject({ status: 404 });
  });

  test("takes the empty blocks that Terraform sends", async () => {
    const empty = { VpcConfig: { SubnetIds: [], SecurityGroupIds: [] }, Layers: [], KMSKeyArn: "" };
    await lambda.create("fn", { ...empty, SnapStart: { ApplyOn: "None" }, PackageType: "Zip" });
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, ...empty });
    await lambda.service.idle();
  });

  test.each([
    [
      { MemorySize: 10_241 },
      "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 10240",
    ],
    [
      { Timeout: 901 },
      "'Timeout' value failed to satisfy constraint: Member must have value less than or equal to 900",
    ],
    [
      { Environment: { Variables: { AWS_REGION: "a", MINE: "b", LAMBDA_TASK_ROOT: "c" } } },
      "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT",
    ],
    [
      { Handler: undefined },
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    ],
  ])("refuses %j", async (input, message) => {
    const outcome = await errorOf(lambda.call("CreateFunction", newFunction("fn", input as object)));
    expect(outcome).toMatchObject({ code: "InvalidParameterValueException", message });
  });
});

describe("accounts", () => {
  const Role = "arn:aws:iam::222222222222:role/theirs";
  const refused = { code: "AccessDeniedException", status: 403 };

  test("do not hand out each other's roles", async () => {
    const create = lambda.call("CreateFunction", newFunction("fn", { Role }));
    expect(await errorOf(create)).toMatchObject({
      ...refused,
      message: "Cross-account pass role is not allowed.",
    });
    await lambda.create("fn");
    const update = lambda.call("UpdateFunctionConfiguration", { FunctionName: "fn", Role });
    expect(await errorOf(update)).toMatchObject(refused);
  });

  test("neither see nor call each other's functions", async () => {
    await lambda.create("fn");
    const theirs = { account: "222222222222", principal: rootPrincipal("222222222222") };
    const arn = "arn:aws:lambda:us-east-1:111111111111:function:fn";
    for (const name of [arn, "111111111111:function:fn", "111111111111:fn"])
      for (const operation of ["GetFunction", "DeleteFunction"] as const)
        expect(await errorOf(lambda.call(operation, { FunctionName: name }, theirs))).toMatchObject(refused);
    for (const operation of ["Invoke", "GetFunction"] as const)
      expect(await errorOf(lambda.call(operation, { FunctionName: "fn" }, theirs))).toMatchObject({
        code: "ResourceNotFoundException",
      });
    // A marker is a place in the caller's own list, whoever was given it.
    const Marker = Buffer.from(JSON.stringify(["a"])).toString("base64url");
    expect(await lambda.call("ListFunctions", { Marker }, theirs)).toEqual({ Functions: [] });
    expect(lambda.engine.invocations).toEqual([]);
  });

  test("read markers that no list of ours ends with as what they are", async () => {
    await lambda.create("fn");
    const marker = (value: unknown) => Buffer.from(JSON.stringify([value])).toString("base64url");
    const invalid = { code: "InvalidParameterValueException", message: "Invalid Marker." };
    for (const value of [-1, 1e308, 0.5])
      expect(
        await errorOf(lambda.call("ListVersionsByFunction", { FunctionName: "fn", Marker: marker(value) })),
      ).toMatchObject(invalid);
    expect(await errorOf(lambda.call("ListFunctions", { Marker: marker("\ud800") }))).toMatchObject(invalid);
  });
});

describe("the background's work", () => {
  test("is taken up again after a crash", async () => {
    lambda.engine.hold();
    await lambda.call("CreateFunction", newFunction("fn", { Publish: true }));
    expect(await lambda.call("GetFunctionConfiguration", { FunctionName })).toMatchObject({
      State: "Pending",
    });

    // The first service never finishes: its engine holds for ever, as a killed process would.
    const restarted = createLambdaFixture(storage());
    await restarted.service.resume();
    await restarted.service.idle();
    const read = (Qualifier?: string) =>
      restarted.call("GetFunctionConfiguration", { FunctionName, Qualifier });
    expect(await read()).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
    expect(await read("1")).toMatchObject({ State: "Active", LastUpdateStatus: "Successful" });
  });

  test("ends in Failed where the function cannot run here", async () => {
    const service = createLambdaFixture(storage(), {
      checkSpec: () => {
        throw new AwsError("InvalidParameterValueException", "python3.12 is not installed here.");
      },
    });
    await service.create("fn");
    expect(await service.call("GetFunctionConfiguration", { FunctionName })).toMatchObject({
      State: "Failed",
      StateReason: "python3.12 is not installed here.",
      StateReasonCode: "InvalidConfiguration",
    });
    expect(await errorOf(service.call("Invoke", { FunctionName }))).toMatchObject({ status: 409 });
    expect(await errorOf(service.call("PublishVersion", { FunctionName }))).toMatchObject({ status: 409 });
  });

  test("keeps a function on what it ran where an update fails, until one succeeds", async () => {
    let broken = false;
    const fixture = createLambdaFixture(storage(), {
      checkSpec: ({ handler }) => {
        if (broken) throw new AwsError("InvalidParameterValueException", `${handler} is broken.`);
      },
    });
    const update = async (Handler: string) => {
      await fixture.call("UpdateFunctionConfiguration", { FunctionName, Handler });
      await fixture.service.idle();
      await fixture.call("Invoke", { FunctionName });
      return fixture.engine.invocations.at(-1)?.spec.handler;
    };
    await fixture.create("fn");
    broken = true;
    expect(await update("b.handler")).toBe("index.handler");
    expect(await fixture.call("GetFunctionConfiguration", { FunctionName })).toMatchObject({
      Handler: "b.handler",
      State: "Active",
      LastUpdateStatus: "Failed",
      LastUpdateStatusReason: "b.handler is broken.",
    });
    broken = false;
    expect(await update("c.handler")).toBe("c.handler");
    expect(fixture.engine.retired).toHaveLength(1);
  });

  test("lets an update repair a function that could not be created", async () => {
    let broken = true;
    const fixture = createLambdaFixture(storage(), {
      checkSpec: () => {
        if (broken) throw new AwsError("InvalidParameterValueException", "broken");
      },
    });
    await fixture.create("fn");
    broken = false;
    await fixture.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 5 });
    await fixture.service.idle();
    expect(await fixture.call("Invoke", { FunctionName })).toMatchObject({ StatusCode: 200 });
  });
});

describe("updating", () => {
  test("loses no parallel change", async () => {
    await lambda.create("fn");
    const Resource = "arn:aws:lambda:us-east-1:111111111111:function:fn";
    const changes = Array.from({ length: 20 }, (_, index) =>
      lambda.call("TagResource", { Resource, Tags: { [`k${index}`]: "v" } }),
    );
    const updates = await Promise.allSettled([
      lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 10 }),
      lambda.call("UpdateFunctionConfiguration", { FunctionName, MemorySize: 256 }),
      ...changes,
    ]);
    await lambda.service.idle();
    const { Configuration, Tags } = await lambda.call("GetFunction", { FunctionName });
    expect(Object.keys(Tags ?? {})).toHaveLength(20);
    // Each update that was accepted is there; one that met another in progress was told so.
    const [timeout, memory] = updates;
    expect(Configuration?.Timeout).toBe(timeout?.status === "fulfilled" ? 10 : 3);
    expect(Configuration?.MemorySize).toBe(memory?.status === "fulfilled" ? 256 : 128);
    expect([timeout?.status, memory?.status]).toContain("fulfilled");
  });

  test("checks the revision that the caller saw", async () => {
    await lambda.create("fn");
    const { RevisionId } = await lambda.call("GetFunctionConfiguration", { FunctionName });
    await lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 10, RevisionId });
    await lambda.service.idle();
    const again = lambda.call("UpdateFunctionConfiguration", { FunctionName, Timeout: 20, RevisionId });
    expect(await errorOf(again)).toMatchObject({ code: "PreconditionFailedException", status: 412 });
  });

  test("a dry run changes nothing", async () => {
    const { CodeSha256, ...before } = await lambda.create("fn");
    const dry = await lambda.call("UpdateFunctionCode", {
      FunctionName,
      ZipFile: OTHER_ARCHIVE,
      DryRun: true,
    });
    expect(dry.CodeSha256).not.toBe(CodeSha256);
    const after = await lambda.call("GetFunctionConfiguration", { FunctionName });
    expect(after).toMatchObject({ CodeSha256, LastModified: before.LastModified });
  });

  test("publishing the same code again makes no new version", async () => {
    await lambda.create("fn", { Publish: true });
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: ARCHIVE });
    await lambda.service.idle();
    expect(await lambda.call("PublishVersion", { FunctionName })).toMatchObject({ Version: "1" });
    expect(lambda.engine.retired).toEqual([]);
  });
});

describe("code that is kept", () => {
  test("is none that was refused", async () => {
    const { blobs } = storage();
    const refused = lambda.call(
      "CreateFunction",
      newFunction("fn", { Code: { ZipFile: Buffer.from("PK") } }),
    );
    expect((await errorOf(refused)).code).toBe("InvalidParameterValueException");
    for await (const blob of blobs.list()) throw new Error(`${blob.id} is left`);
  });

  test("is what any version or layer refers to", async () => {
    await lambda.service.resume();
    const { blob: first } = await created("fn", ARCHIVE);
    await lambda.call("PublishVersion", { FunctionName });
    await lambda.call("UpdateFunctionCode", { FunctionName, ZipFile: OTHER_ARCHIVE });
    await lambda.service.idle();
    const { blob: second } = await blobOf("fn");
    expect(await kept()).toEqual(new Set([first, second]));
    await lambda.call("DeleteFunction", { FunctionName, Qualifier: "1" });
    expect(await kept()).toEqual(new Set([second]));
    const layer = (LayerName: string) =>
      lambda.call("PublishLayerVersion", { LayerName, Content: { ZipFile: Buffer.from(`PK ${LayerName}`) } });
    const layers = [await layer("one"), await layer("two")];
    expect((await kept()).size).toBe(3);
    await lambda.call("UpdateFunctionConfiguration", {
      FunctionName,
      Layers: layers.map(({ LayerVersionArn = "" }) => LayerVersionArn),
    });
    await lambda.service.idle();
    // Deleted layers stay for the functions that have them; so does the folder that both are merged into.
    for (const LayerName of ["one", "two"])
      await lambda.call("DeleteLayerVersion", { LayerName, VersionNumber: 1 });
    expect((await kept()).size).toBe(4);
    await lambda.call("DeleteFunction", { FunctionName });
    expect(await kept()).toEqual(new Set());
  });

  async function created(name: string, ZipFile: Buffer): Promise<{ blob: string }> {
    await lambda.create(name, { Code: { ZipFile } });
    return blobOf(name);
  }

  async function blobOf(name: string): Promise<{ blob: string }> {
    const { CodeSha256 = "" } = await lambda.call("GetFunctionConfiguration", { FunctionName: name });
    return { blob: Buffer.from(CodeSha256, "base64").toString("hex") };
  }

  /** What the engine is told to keep when the next ten minutes are over. */
  async function kept(): Promise<ReadonlySet<string>> {
    const looks = lambda.engine.kept.length;
    lambda.clock.advance(600_000);
    await until(() => expect(lambda.engine.kept.length).toBeGreaterThan(looks));
    return lambda.engine.kept.at(-1) ?? new Set();
  }
});

describe("deleting", () => {
  test("takes all that belongs to the function along, and its environments", async () => {
    await lambda.create("fn", { Publish: true });
    await lambda.create("fn2");
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
    await lambda.call("DeleteFunction", { FunctionName });
    expect(lambda.engine.retired).toHaveLength(2);
    await lambda.create("fn");
    expect(await lambda.call("ListAliases", { FunctionName })).toEqual({ Aliases: [] });
    expect((await lambda.call("ListVersionsByFunction", { FunctionName })).Versions).toHaveLength(1);
    expect(await lambda.call("GetFunction", { FunctionName: "fn2" })).toBeDefined();
  });

  test("tells of functions that are gone, not of versions", async () => {
    const gone: string[] = [];
    lambda = createLambdaFixture(storage(), { onDeleted: (arn) => gone.push(arn) });
    await lambda.create("fn", { Publish: true });
    await lambda.call("DeleteFunction", { FunctionName, Qualifier: "1" });
    expect(gone).toEqual([]);
    await lambda.call("DeleteFunction", { FunctionName });
    await errorOf(lambda.call("DeleteFunction", { FunctionName }));
    expect(gone).toEqual([`arn:aws:lambda:${REGION}:${ACCOUNT}:function:fn`]);
  });

  test("leaves a version that an alias needs", async () => {
    await lambda.create("fn", { Publish: true });
    await lambda.call("CreateAlias", { FunctionName, Name: "live", FunctionVersion: "1" });
    const deletion = lambda.call("DeleteFunction", { FunctionName, Qualifier: "1" });
    expect(await errorOf(deletion)).toMatchObject({
      code: "ResourceConflictException",
      message: "Unable to delete version because the following aliases reference it: [live]",
    });
  });
});

describe("lists", () => {
  test("page through functions and versions in order, each once", async () => {
    const names = Array.from({ length: 7 }, (_, index) => `f${index}`);
    for (const name of names) await lambda.create(name, { Publish: name === "f3" });
    for (const MaxItems of [1, 2, 3, 7, 50]) {
      const pages = async (FunctionVersion?: "ALL") => {
        const seen: string[] = [];
        let Marker: string | undefined;
        do {
          const page = await lambda.call("ListFunctions", { MaxItems, Marker, FunctionVersion });
          expect(page.Functions?.length).toBeLessThanOrEqual(MaxItems);
          for (const { FunctionName: name, Version } of page.Functions ?? []) seen.push(`${name}:${Version}`);
          Marker = page.NextMarker;
        } while (Marker !== undefined);
        return seen;
      };
      const latest = names.map((name) => `${name}:$LATEST`);
      expect(await pages()).toEqual(latest);
      expect(await pages("ALL")).toEqual(latest.toSpliced(4, 0, "f3:1"));
    }
  });

  test("refuse a marker that they did not make", async () => {
    for (const Marker of ["%", "abc", Buffer.from("[1]").toString("base64url")])
      expect(await errorOf(lambda.call("ListFunctions", { Marker }))).toMatchObject({
        code: "InvalidParameterValueException",
      });
  });
});

describe("other reads", () => {
  test("GetFunction's link downloads just this code", async () => {
    await lambda.create("fn");
    const { Code } = await lambda.call("GetFunction", { FunctionName });
    const url = new URL(Code?.Location ?? "");
    const links = createDownloadLinks({ key: "a secret of this test", clock: lambda.clock });
    const blob = links.verify(url.pathname, url.search.slice(1));
    expect(await storage().blobs.get(blob ?? "")).toEqual(ARCHIVE);
  });

  test("GetAccountSettings counts functions and the code of every version", async () => {
    await lambda.create("fn", { Publish: true });
    await lambda.create("fn2");
    const { AccountUsage, AccountLimit } = await lambda.call("GetAccountSettings", {});
    expect(AccountUsage).toEqual({ FunctionCount: 2, TotalCodeSize: 3 * ARCHIVE.length });
    expect(AccountLimit).toMatchObject({ ConcurrentExecutions: 1000, CodeSizeZipped: 52_428_800 });
  });

  test("what a function does not have is answered as AWS does", async () => {
    await lambda.create("fn");
    expect(await lambda.call("GetFunctionCodeSigningConfig", { FunctionName })).toEqual({ FunctionName });
    expect(await lambda.call("GetFunctionConcurrency", { FunctionName })).toEqual({});
    expect(await lambda.call("GetRuntimeManagementConfig", { FunctionName })).toMatchObject({
      UpdateRuntimeOn: "Auto",
    });
    expect(await errorOf(lambda.call("GetPolicy", { FunctionName }))).toEqual({
      code: "ResourceNotFoundException",
      status: 404,
      type: "User",
      message: "The resource you requested does not exist.",
    });
  });
});
