import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { DecodeAuthorizationMessageCommand, STSClient } from "@aws-sdk/client-sts";
import { ensureBuilt } from "../support/built.ts";
import { clientFor, startPlatform, type TestPlatform } from "../support/platform.ts";
import { policyDocument, userWith } from "../support/principals.ts";
import { awsVariables, run } from "../support/tools.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

/** The last denial that `thaw iam explain` tells of a user, with its encoded message. */
async function encodedMessageOf(user: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [join(await ensureBuilt(), "main.js"), "iam", "explain", user, "--json"],
    { env: awsVariables(platform.url) },
  );
  const last = stdout.trim().split("\n").at(-1) ?? "{}";
  return (JSON.parse(last) as { readonly encodedMessage: string }).encodedMessage;
}

it("tells those who may know why somebody was denied", async () => {
  const settings = await userWith(platform.url, "denied", ["lambda:*"]);
  const PolicyDocument = policyDocument({
    Sid: "NoLists",
    Effect: "Deny",
    Action: "lambda:List*",
    Resource: "*",
    Condition: { StringEquals: { "aws:RequestedRegion": "us-east-1" } },
  });
  const iam = new IAMClient(clientFor(platform.url));
  await iam.send(new PutUserPolicyCommand({ UserName: "denied", PolicyName: "no", PolicyDocument }));
  await expect(new LambdaClient(settings).send(new ListFunctionsCommand({}))).rejects.toThrow(
    "explicit deny",
  );

  const EncodedMessage = await encodedMessageOf("denied");
  const decode = new DecodeAuthorizationMessageCommand({ EncodedMessage });
  const admin = new STSClient(await userWith(platform.url, "admin", ["sts:DecodeAuthorizationMessage"]));
  const { DecodedMessage = "" } = await admin.send(decode);
  const decoded = JSON.parse(DecodedMessage) as {
    readonly context: { readonly conditions: { readonly items: readonly object[] } };
  };
  expect(decoded).toMatchObject({
    allowed: false,
    explicitDeny: true,
    matchedStatements: {
      items: [{ statementId: "NoLists", effect: "DENY", actions: { items: [{ value: "lambda:List*" }] } }],
    },
    failures: { items: [] },
    context: {
      principal: { name: "denied", arn: "arn:aws:iam::000000000000:user/denied" },
      action: "lambda:ListFunctions",
      resource: "*",
    },
  });
  expect(decoded.context.conditions.items).toContainEqual({
    key: "aws:RequestedRegion",
    values: { items: [{ value: "us-east-1" }] },
  });

  await expect(new STSClient(settings).send(decode)).rejects.toMatchObject({
    name: "AccessDenied",
    message: expect.stringContaining("not authorized to perform: sts:DecodeAuthorizationMessage"),
  });
  const invalid = { name: "InvalidAuthorizationMessageException", message: "Message is not valid" };
  const other = { accessKeyId: "222222222222", secretAccessKey: "test" };
  const elsewhere = new STSClient({ ...clientFor(platform.url), credentials: other });
  await expect(elsewhere.send(decode)).rejects.toMatchObject(invalid);
  await expect(
    admin.send(new DecodeAuthorizationMessageCommand({ EncodedMessage: `B${EncodedMessage.slice(1)}` })),
  ).rejects.toMatchObject(invalid);
});
