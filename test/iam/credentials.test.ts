import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  GetPolicyCommand,
  GetUserCommand,
  IAMClient,
  ListGroupsForUserCommand,
  ListUsersCommand,
  PutGroupPolicyCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  RemoveUserFromGroupCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { CloudWatchClient, ListMetricsCommand } from "@aws-sdk/client-cloudwatch";
import { LambdaClient, ListFunctionsCommand, ListLayersCommand } from "@aws-sdk/client-lambda";
import {
  AssumeRoleCommand,
  AssumeRootCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
  STSClient,
  type Credentials,
} from "@aws-sdk/client-sts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const ACCOUNT = "000000000000";
let platform: TestPlatform;
let iam: IAMClient;

beforeAll(async () => {
  platform = await startPlatform();
  iam = new IAMClient(clientFor(platform.url));
});
afterAll(() => platform.stop());

const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
const allow = (...Action: string[]) => ({ Effect: "Allow", Action, Resource: "*" });

type Key = Pick<Credentials, "AccessKeyId" | "SecretAccessKey"> & {
  readonly SessionToken?: string | undefined;
};

function as(key: Key | undefined) {
  const { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "", SessionToken } = key ?? {};
  const sessionToken = SessionToken === undefined ? {} : { sessionToken: SessionToken };
  const settings = {
    ...clientFor(platform.url),
    credentials: { accessKeyId, secretAccessKey, ...sessionToken },
  };
  return {
    settings,
    iam: new IAMClient(settings),
    sts: new STSClient(settings),
    lambda: new LambdaClient(settings),
  };
}

async function user(UserName: string): Promise<Key | undefined> {
  await iam.send(new CreateUserCommand({ UserName }));
  return (await iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey;
}

const lists = (key: Key | undefined) => as(key).lambda.send(new ListFunctionsCommand({}));

// As AWS's users quote what each service answers.
it("each service denies in its own words", async () => {
  const { settings, iam: asUser } = as(await user("zoe"));
  const denied = (action: string, on = "") =>
    `User: arn:aws:iam::${ACCOUNT}:user/zoe is not authorized to perform: ${action}${on} because no identity-based policy allows the ${action} action`;
  await expect(new CloudWatchClient(settings).send(new ListMetricsCommand({}))).rejects.toMatchObject({
    name: "AccessDenied",
    message: denied("cloudwatch:ListMetrics"),
  });
  await expect(asUser.send(new ListUsersCommand({}))).rejects.toMatchObject({
    name: "AccessDenied",
    message: denied("iam:ListUsers", ` on resource: arn:aws:iam::${ACCOUNT}:user/`),
  });
  await expect(asUser.send(new GetUserCommand({ UserName: "zoe" }))).rejects.toMatchObject({
    name: "AccessDenied",
    message: denied("iam:GetUser", " on resource: user zoe"),
  });
  const { Policy } = await iam.send(
    new CreatePolicyCommand({
      PolicyName: "none",
      PolicyDocument: document({ ...allow("iam:*"), Effect: "Deny" }),
    }),
  );
  await iam.send(new AttachUserPolicyCommand({ UserName: "zoe", PolicyArn: Policy?.Arn }));
  await expect(asUser.send(new GetUserCommand({ UserName: "zoe" }))).rejects.toThrow(
    `on resource: user zoe with an explicit deny in an identity-based policy: arn:aws:iam::${ACCOUNT}:policy/none`,
  );
});

describe("a user", () => {
  it("signs with its own keys and may what its and its groups' policies allow, within its boundary", async () => {
    const key = await user("ann");
    expect(await as(key).sts.send(new GetCallerIdentityCommand({}))).toMatchObject({
      Account: ACCOUNT,
      Arn: `arn:aws:iam::${ACCOUNT}:user/ann`,
    });
    const denial = "is not authorized to perform: lambda:ListFunctions on resource: * because no";
    await expect(lists(key)).rejects.toThrow(
      `User: arn:aws:iam::${ACCOUNT}:user/ann ${denial} identity-based policy allows the lambda:ListFunctions action`,
    );
    await iam.send(new CreateGroupCommand({ GroupName: "readers" }));
    const inline = {
      GroupName: "readers",
      PolicyName: "list",
      PolicyDocument: document(allow("lambda:List*")),
    };
    await iam.send(new PutGroupPolicyCommand(inline));
    await iam.send(new AddUserToGroupCommand({ GroupName: "readers", UserName: "ann" }));
    await expect(lists(key)).resolves.toMatchObject({ Functions: [] });
    const boundary = { PolicyName: "edge", PolicyDocument: document(allow("lambda:ListLayers")) };
    const { Policy } = await iam.send(new CreatePolicyCommand(boundary));
    await iam.send(
      new PutUserPermissionsBoundaryCommand({ UserName: "ann", PermissionsBoundary: Policy?.Arn }),
    );
    await expect(lists(key)).rejects.toThrow(
      `${denial} permissions boundary allows the lambda:ListFunctions action`,
    );
    await expect(as(key).lambda.send(new ListLayersCommand({}))).resolves.toMatchObject({ Layers: [] });
    const { Groups } = await iam.send(new ListGroupsForUserCommand({ UserName: "ann" }));
    expect(Groups?.map(({ GroupName }) => GroupName)).toEqual(["readers"]);
    await expect(iam.send(new DeleteUserCommand({ UserName: "ann" }))).rejects.toThrow(
      "Cannot delete entity",
    );
    await iam.send(new RemoveUserFromGroupCommand({ GroupName: "readers", UserName: "ann" }));
    await expect(as(key).lambda.send(new ListLayersCommand({}))).rejects.toThrow("identity-based");
  });

  it("cannot sign with a key that is inactive, wrong or gone", async () => {
    const key = await user("bob");
    const of = { UserName: "bob", AccessKeyId: key?.AccessKeyId };
    await iam.send(new UpdateAccessKeyCommand({ ...of, Status: "Inactive" }));
    await expect(lists(key)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
    await iam.send(new UpdateAccessKeyCommand({ ...of, Status: "Active" }));
    await expect(lists(key)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(lists({ AccessKeyId: key?.AccessKeyId, SecretAccessKey: "wrong" })).rejects.toMatchObject({
      name: "InvalidSignatureException",
    });
    await iam.send(new DeleteAccessKeyCommand(of));
    await expect(lists(key)).rejects.toMatchObject({ name: "UnrecognizedClientException" });
  });

  it("gets session tokens, with which it asks for no others", async () => {
    const key = await user("carl");
    const policy = { UserName: "carl", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" };
    await iam.send(new AttachUserPolicyCommand(policy));
    const { Credentials: session } = await as(key).sts.send(new GetSessionTokenCommand({}));
    await expect(lists(session)).resolves.toMatchObject({ Functions: [] });
    expect((await as(session).sts.send(new GetCallerIdentityCommand({}))).Arn).toMatch(/:user\/carl$/);
    await expect(as(session).sts.send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
      name: "AccessDenied",
      message: "Cannot call GetSessionToken with session credentials",
    });
    const { Credentials: nothing, FederatedUser } = await as(key).sts.send(
      new GetFederationTokenCommand({ Name: "dave" }),
    );
    expect(FederatedUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:federated-user/dave`);
    await expect(lists(nothing)).rejects.toThrow("because no session policy allows");
    const { Credentials: some } = await as(key).sts.send(
      new GetFederationTokenCommand({ Name: "dave", Policy: document(allow("lambda:ListFunctions")) }),
    );
    await expect(lists(some)).resolves.toMatchObject({ Functions: [] });
    const AccessKeyId = key?.AccessKeyId ?? "";
    const info = await as(key).sts.send(new GetAccessKeyInfoCommand({ AccessKeyId }));
    expect(info.Account).toBe(ACCOUNT);
  });
});

it("AWS's own policies are there for everybody to read who may", async () => {
  const key = await user("reader");
  const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
  const read = () => as(key).iam.send(new GetPolicyCommand({ PolicyArn }));
  await expect(read()).rejects.toMatchObject({ name: "AccessDenied" });
  await iam.send(new AttachUserPolicyCommand({ UserName: "reader", PolicyArn }));
  await expect(read()).resolves.toMatchObject({ Policy: { Arn: PolicyArn } });
  await expect(iam.send(new GetPolicyCommand({ PolicyArn }))).resolves.toMatchObject({
    Policy: { Arn: PolicyArn },
  });
});

it("AssumeRoot is refused: no account is in an organization", async () => {
  const sts = new STSClient(clientFor(platform.url));
  const TaskPolicyArn = { arn: "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials" };
  await expect(
    sts.send(new AssumeRootCommand({ TargetPrincipal: "222222222222", TaskPolicyArn })),
  ).rejects.toMatchObject({
    name: "AccessDenied",
    message: expect.stringContaining(
      "not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::222222222222:root",
    ),
  });
});

describe("AssumeRole", () => {
  const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
  async function createRole(RoleName: string, trust: object, ...actions: string[]): Promise<void> {
    const AssumeRolePolicyDocument = document({
      Effect: "Allow",
      Action: ["sts:AssumeRole", "sts:TagSession"],
      ...trust,
    });
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
    const PolicyDocument = document(allow(...actions));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "inline", PolicyDocument }));
  }
  /** A user who may assume every role that trusts the account. */
  async function assumer(UserName: string): Promise<Key | undefined> {
    const key = await user(UserName);
    const PolicyDocument = document(allow("sts:AssumeRole", "sts:TagSession"));
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "assume", PolicyDocument }));
    return key;
  }
  const assume = (key: Key | undefined, name: string, more: object = {}) =>
    as(key).sts.send(new AssumeRoleCommand({ RoleArn: role(name), RoleSessionName: "session", ...more }));

  it("asks both the caller's policies and the role's trust policy", async () => {
    const key = await user("erin");
    await createRole("delegated", { Principal: { AWS: ACCOUNT } }, "lambda:ListFunctions");
    const refused = {
      name: "AccessDenied",
      message: `User: arn:aws:iam::${ACCOUNT}:user/erin is not authorized to perform: sts:AssumeRole on resource: ${role("delegated")}`,
    };
    await expect(assume(key, "delegated")).rejects.toMatchObject(refused);
    await iam.send(
      new AttachUserPolicyCommand({
        UserName: "erin",
        PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess",
      }),
    );
    const { Credentials: session, AssumedRoleUser } = await assume(key, "delegated");
    expect(AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/delegated/session`);
    await expect(lists(session)).resolves.toMatchObject({ Functions: [] });
    await createRole("closed", { Principal: { Service: "ec2.amazonaws.com" } }, "*");
    await expect(assume(key, "closed")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume(key, "nobody")).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("is not for roots (AWS: users quote the message)", async () => {
    await createRole("open", { Principal: { AWS: ACCOUNT } }, "lambda:*");
    const root = { AccessKeyId: "test", SecretAccessKey: "test" };
    const refused = { name: "AccessDenied", message: "Roles may not be assumed by root accounts." };
    await expect(assume(root, "open")).rejects.toMatchObject(refused);
    await expect(assume(root, "nobody")).rejects.toMatchObject(refused);
    const { Credentials: session } = await as(root).sts.send(new GetSessionTokenCommand({}));
    await expect(assume(session, "open")).rejects.toMatchObject(refused);
  });

  it("heeds external ids, session policies and durations", async () => {
    const Condition = { StringEquals: { "sts:ExternalId": "secret" } };
    await createRole("external", { Principal: { AWS: ACCOUNT }, Condition }, "lambda:*");
    const key = await assumer("fay");
    await expect(assume(key, "external")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume(key, "external", { ExternalId: "guess" })).rejects.toMatchObject({
      name: "AccessDenied",
    });
    const ExternalId = "secret";
    const Policy = document(allow("lambda:ListLayers"));
    const { Credentials: session, PackedPolicySize } = await assume(key, "external", { ExternalId, Policy });
    expect(PackedPolicySize).toBeGreaterThan(0);
    await expect(lists(session)).rejects.toThrow(
      "because no session policy allows the lambda:ListFunctions action",
    );
    await expect(as(session).lambda.send(new ListLayersCommand({}))).resolves.toMatchObject({ Layers: [] });
    await expect(assume(key, "external", { ExternalId, DurationSeconds: 7200 })).rejects.toMatchObject({
      name: "ValidationError",
      message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    });
    await expect(assume(key, "external", { ExternalId, Policy: "{" })).rejects.toMatchObject({
      name: "MalformedPolicyDocumentException",
    });
  });

  it("carries tags that policies see, and passes transitive ones on (recorded: TestSTSAssumeRoleTagging)", async () => {
    await createRole("tagged", { Principal: { AWS: ACCOUNT } }, "sts:*");
    const StringEquals = { "aws:PrincipalTag/Team": "blue" };
    const trust = { Principal: { AWS: role("tagged") }, Condition: { StringEquals } };
    await createRole("chained", trust, "lambda:ListFunctions");
    const key = await assumer("gus");
    const Tags = [{ Key: "Team", Value: "blue" }];
    const fails = async (more: object, message: string) =>
      expect(assume(key, "tagged", more)).rejects.toMatchObject({ name: "InvalidParameterValue", message });
    await fails(
      { Tags: [...Tags, { Key: "team", Value: "red" }] },
      "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    );
    await fails(
      { Tags, TransitiveTagKeys: ["Other"] },
      "The specified transitive tag key must be included in the requested tags.",
    );
    const { Credentials: plain } = await assume(key, "tagged");
    await expect(assume(plain, "chained")).rejects.toMatchObject({ name: "AccessDenied" });
    const { Credentials: first } = await assume(key, "tagged", { Tags, TransitiveTagKeys: ["Team"] });
    const { Credentials: second } = await assume(first, "chained");
    await expect(lists(second)).resolves.toMatchObject({ Functions: [] });
    await expect(assume(first, "chained", { Tags: [{ Key: "team", Value: "x" }] })).rejects.toMatchObject({
      message:
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    });
    await expect(assume(first, "chained", { DurationSeconds: 3601 })).rejects.toMatchObject({
      message:
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    });
  });

  it("refuses what is no ARN (recorded: test_sts_invalid_parameters)", async () => {
    const sts = new STSClient(clientFor(platform.url));
    const ask = (RoleArn: string, RoleSessionName = "session") =>
      sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName }));
    for (const arn of [
      "nothing-valid-in-here",
      "arn::b:::something/test-role",
      "arn:a::::something/test-role",
      "arn:a:::something/test-role",
      "arn:a:a::aaaaaaaaaa:",
    ])
      await expect(ask(arn)).rejects.toMatchObject({ name: "ValidationError", message: `${arn} is invalid` });
    await expect(ask(role("tagged"), "Session1:2")).rejects.toMatchObject({
      message:
        "1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    });
  });
});
