import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { RevisionConflict } from "#storage/documents";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { SERVICE_LINKED_ROLES, WITH_SUFFIX } from "../service-linked-roles.ts";
import type { AttachmentDocument, RoleDocument } from "../store.ts";
import { keys, requireRole } from "../store.ts";
import { describeRole } from "./roles.ts";

type Iam = typeof client;

export function serviceLinkedRoleOperations({ documents, clock, ids }: IamDeps) {
  const CreateServiceLinkedRole: Handler<Iam, "CreateServiceLinkedRole"> = async (input, call) => {
    const service = input.AWSServiceName ?? "";
    const { CustomSuffix: suffix } = input;
    const short = service.replace(/\.amazonaws\.com$/, "");
    const suffixed = WITH_SUFFIX[short];
    const known = suffixed ?? SERVICE_LINKED_ROLES[short];
    if (suffix !== undefined && suffixed === undefined) throw iamErrors.suffixNotAllowed(service);
    if (known === undefined) throw iamErrors.serviceUnknown(service);
    const name = suffix === undefined ? known.role : `${known.role}_${suffix}`;
    const description = input.Description ?? known.description;
    const role: RoleDocument = {
      name,
      id: `AROA${ids.base32(17)}`,
      path: `/aws-service-role/${service}/`,
      created: clock.now(),
      assumeRolePolicy: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
      }),
      maxSessionSeconds: LIMITS.sessionSeconds,
      tags: {},
      ...(description === undefined ? {} : { description }),
    };
    const policyArn = `arn:aws:iam::aws:policy/aws-service-role/${known.policy ?? ""}`;
    const value: AttachmentDocument = { policyArn };
    // They are counted, but may be made beyond the quota of roles ("Create a service-linked role", IAM user guide).
    try {
      await documents.commit([
        { key: keys.role(call.account, name), value: role, expected: 0 },
        ...(known.policy === undefined
          ? []
          : [
              { key: [...keys.attached(call.account, "role", name), policyArn] as const, value },
              { key: [...keys.entities(call.account, policyArn, "role"), name] as const, value },
            ]),
      ]);
    } catch (error) {
      if (error instanceof RevisionConflict) throw iamErrors.serviceRoleTaken(name);
      throw error;
    }
    return { Role: describeRole(call.account, role) };
  };

  /** Done at once: nothing here uses such roles. */
  const DeleteServiceLinkedRole: Handler<Iam, "DeleteServiceLinkedRole"> = async (input, call) => {
    const { key, value: role } = requireRole(documents, call.account, input.RoleName);
    const attached = [...documents.list(keys.attached(call.account, "role", role.name))];
    await documents.commit([
      { key, delete: true },
      ...attached.map((one) => ({ key: one.key, delete: true }) as const),
      ...attached.map(({ key: [, , , , arn = ""] }) => {
        const entity = keys.entities(call.account, String(arn), "role");
        return { key: [...entity, role.name], delete: true } as const;
      }),
    ]);
    return { DeletionTaskId: `task${role.path}${role.name}/${ids.uuid()}` };
  };

  const GetServiceLinkedRoleDeletionStatus: Handler<Iam, "GetServiceLinkedRoleDeletionStatus"> = (
    input,
    call,
  ) => {
    const [, , , name = ""] = (input.DeletionTaskId ?? "").split("/");
    const gone = documents.get(keys.role(call.account, name)) === undefined;
    return { Status: gone ? "SUCCEEDED" : "FAILED" };
  };

  return {
    CreateServiceLinkedRole,
    DeleteServiceLinkedRole,
    GetServiceLinkedRoleDeletionStatus,
  } satisfies OperationsOf<Iam>;
}
