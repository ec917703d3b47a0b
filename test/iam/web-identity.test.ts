import { generateKeyPairSync, sign } from "node:crypto";
import { createServer, type Server } from "node:http";
import {
  CreateOpenIDConnectProviderCommand,
  CreateRoleCommand,
  IAMClient,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand, ListLayersCommand } from "@aws-sdk/client-lambda";
import { AssumeRoleWithWebIdentityCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const RoleArn = "arn:aws:iam::000000000000:role/deployer";
let platform: TestPlatform;
let provider: Server;
let issuer: string;
let asked = 0;

beforeAll(async () => {
  platform = await startPlatform();
  provider = createServer((request, response) => {
    asked++;
    const discovery = { issuer, jwks_uri: `${issuer}/keys` };
    const keys = [{ ...publicKey.export({ format: "jwk" }), kid: "k" }];
    response.end(JSON.stringify(request.url === "/realm/keys" ? { keys } : discovery));
  });
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  const address = provider.address();
  issuer = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/realm`;
  await trust();
});
afterAll(async () => {
  provider.close();
  await platform.stop();
});

/** A role for the provider's `repo:mine`, which may list functions. */
async function trust(): Promise<void> {
  const iam = new IAMClient(clientFor(platform.url));
  const { OpenIDConnectProviderArn: Federated } = await iam.send(
    new CreateOpenIDConnectProviderCommand({ Url: issuer, ClientIDList: ["sts.amazonaws.com"] }),
  );
  const name = issuer.replace("http://", "");
  const document = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
  const AssumeRolePolicyDocument = document({
    Effect: "Allow",
    Principal: { Federated },
    Action: "sts:AssumeRoleWithWebIdentity",
    Condition: { StringEquals: { [`${name}:aud`]: "sts.amazonaws.com", [`${name}:sub`]: "repo:mine" } },
  });
  await iam.send(new CreateRoleCommand({ RoleName: "deployer", AssumeRolePolicyDocument }));
  const PolicyDocument = document({ Effect: "Allow", Action: "lambda:ListFunctions", Resource: "*" });
  await iam.send(new PutRolePolicyCommand({ RoleName: "deployer", PolicyName: "p", PolicyDocument }));
}

function token(claims: object = {}): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 600;
  const body = { iss: issuer, sub: "repo:mine", aud: "sts.amazonaws.com", exp, ...claims };
  const signed = `${encode({ alg: "ES256", kid: "k" })}.${encode(body)}`;
  const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** The client does not sign this operation. */
const assume = (WebIdentityToken: string, more: object = {}) =>
  new STSClient(clientFor(platform.url)).send(
    new AssumeRoleWithWebIdentityCommand({ RoleArn, RoleSessionName: "ci", WebIdentityToken, ...more }),
  );

it("gives a role's session to whom a provider vouches for, with the role's permissions", async () => {
  const answer = await assume(token());
  expect(answer).toMatchObject({
    SubjectFromWebIdentityToken: "repo:mine",
    Audience: "sts.amazonaws.com",
    AssumedRoleUser: { Arn: "arn:aws:sts::000000000000:assumed-role/deployer/ci" },
  });
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "" } = answer.Credentials ?? {};
  const settings = {
    ...clientFor(platform.url),
    credentials: {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    },
  };
  const { Arn } = await new STSClient(settings).send(new GetCallerIdentityCommand({}));
  expect(Arn).toBe(answer.AssumedRoleUser?.Arn);
  const lambda = new LambdaClient(settings);
  expect((await lambda.send(new ListFunctionsCommand({}))).Functions).toEqual([]);
  await expect(lambda.send(new ListLayersCommand({}))).rejects.toThrow("lambda:ListLayers");
});

it("keeps the provider's keys", async () => {
  await assume(token());
  const before = asked;
  await assume(token());
  expect(asked).toBe(before);
});

it.each([
  ["another subject", { sub: "repo:theirs" }, "AccessDenied"],
  ["another audience", { aud: "elsewhere" }, "InvalidIdentityTokenException"],
  [
    "an issuer that the account does not name",
    { iss: "https://idp.example" },
    "InvalidIdentityTokenException",
  ],
  ["a token that is over", { exp: 1 }, "ExpiredTokenException"],
])("refuses %s", async (_what, claims, name) => {
  await expect(assume(token(claims))).rejects.toMatchObject({ name });
});

it("refuses a signature that is not the provider's, and a role that is not there in the same words as one that is", async () => {
  const forged = `${token().slice(0, -6)}AAAAAA`;
  await expect(assume(forged)).rejects.toMatchObject({ name: "InvalidIdentityTokenException" });
  const denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity";
  await expect(assume(token({ sub: "x" }))).rejects.toThrow(denied);
  await expect(assume(token(), { RoleArn: `${RoleArn}2` })).rejects.toThrow(denied);
});

it("lets nobody else in without a signature", async () => {
  const body = new URLSearchParams({ Action: "GetCallerIdentity", Version: "2011-06-15" });
  const response = await fetch(platform.url, { method: "POST", body });
  expect(response.status).toBe(403);
  expect(await response.text()).toContain("MissingAuthenticationToken");
});
