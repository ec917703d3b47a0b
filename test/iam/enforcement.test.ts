import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  RemovePermissionCommand,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { zipOf } from "../support/zip.ts";

const ROLE = "arn:aws:iam::000000000000:role/caller";
const TRUST = trust("lambda.amazonaws.com");
const BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

function trust(Service: string): string {
  const Statement = { Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole" };
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

/** Calls Lambda as its role, with the SDK that comes with the runtime, and tells what was answered. */
const SOURCE = `const { LambdaClient, InvokeCommand, ListFunctionsCommand } = require("@aws-sdk/client-lambda");
const client = new LambdaClient({ maxAttempts: 1 });
exports.handler = async ({ invoke, list }) => {
  try {
    const command = list ? new ListFunctionsCommand({}) : new InvokeCommand({ FunctionName: invoke });
    const { StatusCode, Functions } = await client.send(command);
    return { StatusCode, listed: Functions?.length };
  } catch (error) {
    return { name: error.name, message: error.message };
  }
};`;

let platform: TestPlatform;
let lambda: LambdaClient;
let iam: IAMClient;

beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
  iam = new IAMClient(clientFor(platform.url));
  await iam.send(new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument: TRUST }));
  await create("caller", ROLE);
  await create("target", ROLE);
});
afterAll(() => platform.stop());

async function create(FunctionName: string, Role: string): Promise<void> {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: `nodejs${process.versions.node.split(".")[0] ?? ""}.x` as "nodejs22.x",
      Handler: "index.handler",
      Role,
      Timeout: 30,
      MemorySize: 512,
      Code: { ZipFile: await zipOf({ "index.js": SOURCE }) },
    }),
  );
  await waitUntilFunctionActiveV2(
    { client: lambda, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 },
    { FunctionName },
  );
}

async function ask(event: object): Promise<Record<string, unknown>> {
  const { Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: "caller", Payload: JSON.stringify(event) }),
  );
  return JSON.parse(Payload?.transformToString() ?? "") as Record<string, unknown>;
}

const put = (statement: object) =>
  iam.send(
    new PutRolePolicyCommand({
      RoleName: "caller",
      PolicyName: "inline",
      PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [statement].flat() }),
    }),
  );

const TARGET = "arn:aws:lambda:us-east-1:000000000000:function:target";
const DENIED = "User: arn:aws:sts::000000000000:assumed-role/caller/caller is not authorized to perform:";

describe("a function", () => {
  it("may what its role allows, from the very next request on, and nothing else", async () => {
    expect(await ask({ invoke: "target" })).toEqual({
      name: "AccessDeniedException",
      message: `${DENIED} lambda:InvokeFunction on resource: ${TARGET} because no identity-based policy allows the lambda:InvokeFunction action`,
    });
    await put({ Effect: "Allow", Action: "lambda:InvokeFunction", Resource: TARGET });
    expect(await ask({ invoke: "target" })).toEqual({ StatusCode: 200 });
    expect(await ask({ invoke: "caller" })).toMatchObject({ name: "AccessDeniedException" });
    expect(await ask({ list: true })).toEqual({
      name: "AccessDeniedException",
      message: `${DENIED} lambda:ListFunctions on resource: * because no identity-based policy allows the lambda:ListFunctions action`,
    });
    await put([
      { Effect: "Allow", Action: "lambda:*", Resource: "*" },
      { Effect: "Deny", Action: "lambda:Invoke*", Resource: TARGET },
    ]);
    expect(await ask({ list: true })).toEqual({ listed: 2 });
    expect(await ask({ invoke: "target" })).toEqual({
      name: "AccessDeniedException",
      message: `${DENIED} lambda:InvokeFunction on resource: ${TARGET} with an explicit deny in an identity-based policy`,
    });
    await iam.send(new DeleteRolePolicyCommand({ RoleName: "caller", PolicyName: "inline" }));
    expect(await ask({ list: true })).toMatchObject({ name: "AccessDeniedException" });
  });

  it("loses its credentials with its role", async () => {
    const managed = { RoleName: "caller", PolicyArn: "arn:aws:iam::aws:policy/AdministratorAccess" };
    await iam.send(new AttachRolePolicyCommand(managed));
    expect(await ask({ list: true })).toEqual({ listed: 2 });
    await iam.send(new DetachRolePolicyCommand(managed));
    await iam.send(new DeleteRoleCommand({ RoleName: "caller" }));
    const invalid = {
      name: "UnrecognizedClientException",
      message: "The security token included in the request is invalid.",
    };
    expect(await ask({ list: true })).toEqual(invalid);
    // One of the same name is another role.
    await iam.send(new CreateRoleCommand({ RoleName: "caller", AssumeRolePolicyDocument: TRUST }));
    await iam.send(new AttachRolePolicyCommand(managed));
    expect(await ask({ list: true })).toEqual(invalid);
  });
});

it("functions are invoked from another account where they and the caller's own policies let it", async () => {
  const credentials = { accessKeyId: "123456789012", secretAccessKey: "test" };
  const theirs = new LambdaClient({ ...clientFor(platform.url), credentials });
  const invoke = () => theirs.send(new InvokeCommand({ FunctionName: TARGET }));
  const denied = (action: string) => ({
    name: "AccessDeniedException",
    message: `User: arn:aws:iam::123456789012:root is not authorized to perform: lambda:${action} on resource: ${TARGET} because no resource-based policy allows the lambda:${action} action`,
  });
  await expect(invoke()).rejects.toMatchObject(denied("InvokeFunction"));
  const permission = { FunctionName: "target", StatementId: "theirs" };
  const Action = "lambda:InvokeFunction";
  await lambda.send(new AddPermissionCommand({ ...permission, Action, Principal: "123456789012" }));
  await expect(invoke()).resolves.toMatchObject({ StatusCode: 200 });
  await expect(theirs.send(new GetFunctionCommand({ FunctionName: TARGET }))).rejects.toMatchObject(
    denied("GetFunction"),
  );
  await lambda.send(new RemovePermissionCommand(permission));
  await expect(invoke()).rejects.toMatchObject(denied("InvokeFunction"));
  theirs.destroy();
});

describe("a role that Lambda cannot assume", () => {
  const refused = {
    name: "InvalidParameterValueException",
    message: "The role defined for the function cannot be assumed by Lambda.",
  };

  it("is refused at creation: one that is not there", async () => {
    await expect(create("nobody", "arn:aws:iam::000000000000:role/nobody")).rejects.toMatchObject(refused);
    await expect(create("path", "arn:aws:iam::000000000000:role/path/caller")).rejects.toMatchObject(refused);
  });

  it("is refused at creation: one that trusts somebody else", async () => {
    const role = { RoleName: "ec2", AssumeRolePolicyDocument: trust("ec2.amazonaws.com") };
    await iam.send(new CreateRoleCommand(role));
    await iam.send(new AttachRolePolicyCommand({ RoleName: "ec2", PolicyArn: BASIC }));
    await expect(create("wrong", "arn:aws:iam::000000000000:role/ec2")).rejects.toMatchObject(refused);
  });
});
