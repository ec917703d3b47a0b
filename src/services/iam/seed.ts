import { RevisionConflict } from "#storage/documents";
import type { IamDeps } from "./deps.ts";
import { LIMITS } from "./limits.ts";
import type { AttachmentDocument, RoleDocument } from "./store.ts";
import { keys, roleArn } from "./store.ts";

const NAME = "thaw-basic-execution";
const POLICY_ARN = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole";

/** Makes sure that an account has the role `thaw-basic-execution`, ready for functions. */
export type RoleSeed = (account: string) => Promise<string>;

/** @returns a function that returns the role's ARN; an existing role is left as it is */
export function createRoleSeed({ documents, clock, ids }: IamDeps): RoleSeed {
  return async (account) => {
    const role: RoleDocument = {
      name: NAME,
      id: `AROA${ids.base32(17)}`,
      path: "/",
      created: clock.now(),
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      }),
      description: "Lets functions write their logs",
      maxSessionSeconds: LIMITS.sessionSeconds,
      tags: {},
    };
    const key = keys.role(account, NAME);
    const existing = documents.get<RoleDocument>(key);
    if (existing !== undefined) return roleArn(account, existing.value);
    const attachment: AttachmentDocument = { role: NAME, policyArn: POLICY_ARN };
    try {
      await documents.commit([
        { key, value: role, expected: 0 },
        { key: [...keys.attached(account, NAME), POLICY_ARN], value: attachment },
        { key: [...keys.entities(account, POLICY_ARN), NAME], value: attachment },
      ]);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
    return roleArn(account, role);
  };
}
