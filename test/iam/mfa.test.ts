import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  CreateVirtualMFADeviceCommand,
  EnableMFADeviceCommand,
  GetUserCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  ResyncMFADeviceCommand,
} from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand, ListLayersCommand } from "@aws-sdk/client-lambda";
import { AssumeRoleCommand, type Credentials, GetSessionTokenCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { codeOf, fromBase32, stepAt } from "../../src/services/iam/totp.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { policyDocument } from "../support/principals.ts";

const ROLE = "arn:aws:iam::000000000000:role/guarded";
const WITH_MFA = { Bool: { "aws:MultiFactorAuthPresent": "true" } };

let platform: TestPlatform;
let iam: IAMClient;
let UserName: string;
let keys: Partial<Credentials>;
let SerialNumber: string;
let seed: Buffer;
/** The step whose code is the next to be used: a device that is some minutes slow needs no waiting for the next one. */
let step: number;

function clients({ AccessKeyId = "", SecretAccessKey = "", SessionToken }: Partial<Credentials> = keys) {
  const credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(SessionToken === undefined ? {} : { sessionToken: SessionToken }),
  };
  const settings = { ...clientFor(platform.url), credentials };
  return { iam: new IAMClient(settings), sts: new STSClient(settings), lambda: new LambdaClient(settings) };
}

const pair = () => ({
  UserName,
  SerialNumber,
  AuthenticationCode1: codeOf(seed, step++),
  AuthenticationCode2: codeOf(seed, step++),
});

/** The next code that counts: the device is set anew before it, as its steps go faster here than the platform's. */
async function nextCode(): Promise<string> {
  await iam.send(new ResyncMFADeviceCommand(pair()));
  return codeOf(seed, step++);
}

beforeAll(async () => {
  platform = await startPlatform();
  iam = new IAMClient(clientFor(platform.url));
  UserName = "ann";
  await iam.send(new CreateUserCommand({ UserName }));
  keys = (await iam.send(new CreateAccessKeyCommand({ UserName }))).AccessKey ?? {};
  const PolicyDocument = policyDocument(
    { Effect: "Allow", Action: ["sts:AssumeRole", "iam:GetUser"], Resource: "*" },
    { Effect: "Allow", Action: "lambda:ListFunctions", Resource: "*", Condition: WITH_MFA },
    {
      Effect: "Allow",
      Action: "lambda:ListLayers",
      Resource: "*",
      Condition: { NumericGreaterThan: { "aws:MultiFactorAuthAge": "3600" } },
    },
  );
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
  const trust = policyDocument({
    Effect: "Allow",
    Principal: { AWS: "000000000000" },
    Action: "sts:AssumeRole",
    Condition: { ...WITH_MFA, NumericLessThan: { "aws:MultiFactorAuthAge": "3600" } },
  });
  await iam.send(new CreateRoleCommand({ RoleName: "guarded", AssumeRolePolicyDocument: trust }));
  const role = policyDocument(
    { Effect: "Allow", Action: "lambda:ListFunctions", Resource: "*" },
    { Effect: "Allow", Action: "lambda:ListLayers", Resource: "*", Condition: WITH_MFA },
  );
  const inline = { RoleName: "guarded", PolicyName: "p", PolicyDocument: role };
  await iam.send(new PutRolePolicyCommand(inline));

  const { VirtualMFADevice } = await iam.send(
    new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName: "ann" }),
  );
  SerialNumber = VirtualMFADevice?.SerialNumber ?? "";
  seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  step = stepAt(Date.now()) - 10;
  await iam.send(new EnableMFADeviceCommand(pair()));
});
afterAll(() => platform.stop());

const lists = (as: Partial<Credentials>) => clients(as).lambda.send(new ListFunctionsCommand({}));
const listsLayers = (as: Partial<Credentials>) => clients(as).lambda.send(new ListLayersCommand({}));
const assume = (as: Partial<Credentials>, more: object = {}) =>
  clients(as).sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "session", ...more }));
const sessionToken = (more: object = {}) => clients().sts.send(new GetSessionTokenCommand(more));

it("opens a session of the user's by a code of its device, which its policies can ask for", async () => {
  const TokenCode = await nextCode();
  const { Credentials: plain = {} } = await sessionToken();
  const { Credentials: proved = {} } = await sessionToken({ SerialNumber, TokenCode });
  await expect(lists(keys)).rejects.toMatchObject({ name: "AccessDeniedException" });
  await expect(lists(plain)).rejects.toMatchObject({ name: "AccessDeniedException" });
  await expect(lists(proved)).resolves.toMatchObject({ Functions: [] });
  // It is not an hour old.
  await expect(listsLayers(proved)).rejects.toMatchObject({ name: "AccessDeniedException" });
  // "You cannot call any IAM API operations unless MFA authentication information is included" (API reference).
  await expect(clients(plain).iam.send(new GetUserCommand({}))).rejects.toMatchObject({
    name: "InvalidClientTokenId",
    message: "The security token included in the request is invalid",
  });
  expect((await clients(proved).iam.send(new GetUserCommand({}))).User?.UserName).toBe("ann");
  await expect(sessionToken({ SerialNumber, TokenCode })).rejects.toMatchObject({
    name: "AccessDenied",
    message: "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
  });
  // A session with it assumes the role without another code.
  await expect(assume(plain)).rejects.toMatchObject({ name: "AccessDenied" });
  await expect(assume(proved)).resolves.toMatchObject({ AssumedRoleUser: {} });
});

it("lets a role be assumed by a code where its trust policy asks for one, and no session of it has that", async () => {
  const refused = `User: arn:aws:iam::000000000000:user/ann is not authorized to perform: sts:AssumeRole on resource: ${ROLE}`;
  await expect(assume(keys)).rejects.toMatchObject({ name: "AccessDenied", message: refused });
  const TokenCode = await nextCode();
  const both = await Promise.allSettled([1, 2].map(() => assume(keys, { SerialNumber, TokenCode })));
  const failed = both.flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
  expect(failed).toMatchObject([
    { message: "MultiFactorAuthentication failed with invalid MFA one time pass code. " },
  ]);
  const [session = {}] = both.flatMap((one) =>
    one.status === "fulfilled" ? [one.value.Credentials ?? {}] : [],
  );
  await expect(lists(session)).resolves.toMatchObject({ Functions: [] });
  await expect(listsLayers(session)).rejects.toMatchObject({ name: "AccessDeniedException" });
});

it("refuses codes of other devices, and half of what it takes", async () => {
  const refused = (message: string) => ({ name: "AccessDenied", message: expect.stringContaining(message) });
  await expect(assume(keys, { SerialNumber: `${SerialNumber}x`, TokenCode: "123456" })).rejects.toMatchObject(
    refused("Please verify your MFA serial number is valid and associated with this user."),
  );
  await expect(sessionToken({ TokenCode: "123456" })).rejects.toMatchObject(refused("must provide both"));
  const root = { AccessKeyId: "test", SecretAccessKey: "test" };
  const asRoot = new GetSessionTokenCommand({ SerialNumber, TokenCode: "123456" });
  await expect(clients(root).sts.send(asRoot)).rejects.toMatchObject(refused("unable to validate MFA code"));
});
