import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { boundaryChanges } from "../boundaries.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { keys, requireRole, requireUser } from "../store.ts";

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
    await change(account, kind, name, () => arn);
    return {};
  }

  async function remove(account: string, kind: "role" | "user", name = "") {
    await change(account, kind, name, (current) => {
      if (current === undefined) throw iamErrors.boundaryMissing(kind, name);
      return undefined;
    });
    return {};
  }

  async function change(
    account: string,
    kind: "role" | "user",
    name: string,
    next: (current: string | undefined) => string | undefined,
  ): Promise<void> {
    const key = kind === "role" ? keys.role(account, name) : keys.user(account, name);
    await revise(documents, key, () => {
      const { permissionsBoundary: before, ...holder } =
        kind === "role"
          ? requireRole(documents, account, name).value
          : requireUser(documents, account, name).value;
      const arn = next(before);
      const value = arn === undefined ? holder : { ...holder, permissionsBoundary: arn };
      return [
        { key, value },
        ...boundaryChanges(documents, account, kind, { name, arn: before }, { name, arn }),
      ];
    });
  }

  return {
    PutRolePermissionsBoundary,
    DeleteRolePermissionsBoundary,
    PutUserPermissionsBoundary,
    DeleteUserPermissionsBoundary,
  } satisfies OperationsOf<Iam>;
}
