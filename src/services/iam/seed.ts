import { RevisionConflict } from "#storage/documents";
import type { IamDeps } from "./deps.ts";
import { LIMITS } from "./limits.ts";
import type { AttachmentDocument, RoleDocument } from "./store.ts";
import { keys, roleArn } from "./store.ts";

const NAME = "thaw-basic-execution";
/** To write logs, to invoke functions, and to record traces. */
const POLICY_ARNS = [
  "service-role/AWSLambdaBasicExecutionRole",
  "service-role/AWSLambdaRole",
  "AWSXRayDaemonWriteAccess",
].map((path) => `arn:aws:iam::aws:policy/${path}`);

/** Makes sure that an account has the role `thaw-basic-execution`, ready for functions. */
export type RoleSeed = (account: string) => Promise<string>;

/** @returns a function that returns the role's ARN; an existing role is left as it is */
export function createRoleSeed({
  documents,
  clock,
  ids,
}: Pick<IamDeps, "documents" | "clock" | "ids">): RoleSeed {
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
      description: "Lets functions write their logs, invoke functions and record traces",
      maxSessionSeconds: LIMITS.sessionSeconds,
      tags: {},
    };
    const key = keys.role(account, NAME);
    const existing = documents.get<RoleDocument>(key);
    if (existing !== undefined) return roleArn(account, existing.value);
    try {
      await documents.commit([
        { key, value: role, expected: 0 },
        ...POLICY_ARNS.flatMap((policyArn) => {
          const value: AttachmentDocument = { policyArn };
          return [
            { key: [...keys.attached(account, "role", NAME), policyArn] as const, value },
            { key: [...keys.entities(account, policyArn, "role"), NAME] as const, value },
          ];
        }),
      ]);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
    }
    return roleArn(account, role);
  };
}
