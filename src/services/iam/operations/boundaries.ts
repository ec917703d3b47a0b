import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import type { RoleDocument, UserDocument } from "../store.ts";
import { keys, policyExists, requireRole, requireUser } from "../store.ts";

type Iam = typeof client;

/** Permissions boundaries of roles and users. */
export function boundaryOperations({ documents }: IamDeps) {
  const PutRolePermissionsBoundary: Handler<Iam, "PutRolePermissionsBoundary"> = (input, call) =>
    put(call.account, "role", input.RoleName, input.PermissionsBoundary);
  const DeleteRolePermissionsBoundary: Handler<Iam, "DeleteRolePermissionsBoundary"> = (input, call) =>
    remove(call.account, "role", input.RoleName);
  const PutUserPermissionsBoundary: Handler<Iam, "PutUserPermissionsBoundary"> = (input, call) =>
    put(call.account, "user", input.UserName, input.PermissionsBoundary);
  const DeleteUserPermissionsBoundary: Handler<Iam, "DeleteUserPermissionsBoundary"> = (input, call) =>
    remove(call.account, "user", input.UserName);

  async function put(account: string, kind: "role" | "user", name = "", arn = "") {
    if (!policyExists(documents, account, arn)) throw iamErrors.policyNotAttachable(arn);
    await change(account, kind, name, (holder) => ({ ...holder, permissionsBoundary: arn }));
    return {};
  }

  async function remove(account: string, kind: "role" | "user", name = "") {
    await change(account, kind, name, ({ permissionsBoundary, ...rest }) => {
      if (permissionsBoundary === undefined) throw iamErrors.boundaryMissing(kind, name);
      return rest;
    });
    return {};
  }

  async function change(
    account: string,
    kind: "role" | "user",
    name: string,
    next: (holder: RoleDocument | UserDocument) => object,
  ): Promise<void> {
    const key = kind === "role" ? keys.role(account, name) : keys.user(account, name);
    await revise(documents, key, () => {
      const holder =
        kind === "role" ? requireRole(documents, account, name) : requireUser(documents, account, name);
      return [{ key, value: next(holder.value) }];
    });
  }

  return {
    PutRolePermissionsBoundary,
    DeleteRolePermissionsBoundary,
    PutUserPermissionsBoundary,
    DeleteUserPermissionsBoundary,
  } satisfies OperationsOf<Iam>;
}
