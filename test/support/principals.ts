import { randomUUID } from "node:crypto";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { clientFor } from "./platform.ts";

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Client settings of somebody else than the account's root. */
export type SettingsOf = ReturnType<typeof clientFor> & { readonly credentials: Keys };

export function policyDocument(...Statement: object[]): string {
  return JSON.stringify({ Version: "2012-10-17", Statement });
}

/** Makes a user in the account of the settings, who may do some actions on everything. */
export async function userWith(
  url: string,
  UserName: string,
  actions: readonly string[],
): Promise<SettingsOf> {
  const iam = new IAMClient(clientFor(url));
  await iam.send(new CreateUserCommand({ UserName }));
  if (actions.length > 0) {
    const PolicyDocument = policyDocument({ Effect: "Allow", Action: actions, Resource: "*" });
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: "own", PolicyDocument }));
  }
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return {
    ...clientFor(url),
    credentials: {
      accessKeyId: AccessKey?.AccessKeyId ?? "",
      secretAccessKey: AccessKey?.SecretAccessKey ?? "",
    },
  };
}

/** A role's session: a user assumes it that is made for it, because roots may not. The role must trust its account. */
export async function sessionOf(url: string, RoleName: string): Promise<SettingsOf> {
  const user = await userWith(url, `assumes-${randomUUID()}`, ["sts:AssumeRole"]);
  const RoleArn = `arn:aws:iam::000000000000:role/${RoleName}`;
  const { Credentials } = await new STSClient(user).send(
    new AssumeRoleCommand({ RoleArn, RoleSessionName: "session" }),
  );
  return {
    ...clientFor(url),
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    },
  };
}
