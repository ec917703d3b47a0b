import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { checkPolicyDocument, encodeDocument, policySize } from "../policy-document.ts";
import type { AttachmentDocument, InlinePolicyDocument, RoleDocument } from "../store.ts";
import {
  findPolicy,
  keys,
  paginate,
  policyExists,
  requireRole,
  unchanged,
  valuesUnder,
  where,
} from "../store.ts";

type Iam = typeof client;

/** A role's inline policies and attachments. Each change also writes the role, unchanged, so that a role is deleted only while it has none. */
export function rolePolicyOperations({ documents }: IamDeps) {
  const AttachRolePolicy: Handler<Iam, "AttachRolePolicy"> = async (input, call) => {
    const [role, arn] = [input.RoleName ?? "", input.PolicyArn ?? ""];
    await revise<RoleDocument>(documents, keys.role(call.account, role), () => {
      const known = policyExists(documents, call.account, arn);
      const document = requireRole(documents, call.account, role);
      if (!known) throw iamErrors.policyNotAttachable(arn);
      const attached = Array.from(documents.list<AttachmentDocument>(keys.attached(call.account, role)));
      if (attached.some(({ value }) => value.policyArn === arn)) return [];
      if (attached.length >= LIMITS.policiesPerRole)
        throw iamErrors.quota("PoliciesPerRole", LIMITS.policiesPerRole);
      const policy = findPolicy(documents, call.account, arn);
      const value: AttachmentDocument = { role, policyArn: arn };
      return [
        unchanged(document),
        ...(policy === undefined ? [] : [unchanged(policy)]),
        { key: [...keys.attached(call.account, role), arn], value },
        { key: [...keys.entities(call.account, arn), role], value },
      ];
    });
    return {};
  };

  const DetachRolePolicy: Handler<Iam, "DetachRolePolicy"> = async (input, call) => {
    const [role, arn] = [input.RoleName ?? "", input.PolicyArn ?? ""];
    findPolicy(documents, call.account, arn);
    requireRole(documents, call.account, role);
    const attachment = documents.get([...keys.attached(call.account, role), arn]);
    if (attachment === undefined) throw iamErrors.policyMissing(arn);
    await documents.commit([
      { key: attachment.key, delete: true },
      { key: [...keys.entities(call.account, arn), role], delete: true },
    ]);
    return {};
  };

  const ListAttachedRolePolicies: Handler<Iam, "ListAttachedRolePolicies"> = (input, call) => {
    requireRole(documents, call.account, input.RoleName);
    const all = valuesUnder<AttachmentDocument>(documents, keys.attached(call.account, input.RoleName ?? ""));
    const prefix = input.PathPrefix ?? "/";
    const matching = where(all, ({ policyArn }) =>
      policyArn.slice(policyArn.indexOf(":policy/") + 7).startsWith(prefix),
    );
    const { items, paging } = paginate(input, matching, ({ policyArn }) => policyArn);
    return {
      AttachedPolicies: items.map(({ policyArn }) => ({
        PolicyName: policyArn.slice(policyArn.lastIndexOf("/") + 1),
        PolicyArn: policyArn,
      })),
      ...paging,
    };
  };

  const PutRolePolicy: Handler<Iam, "PutRolePolicy"> = async (input, call) => {
    const [role, name, text] = [input.RoleName ?? "", input.PolicyName ?? "", input.PolicyDocument ?? ""];
    await revise<RoleDocument>(documents, keys.role(call.account, role), () => {
      const document = requireRole(documents, call.account, role);
      checkPolicyDocument(text, "identity");
      let size = policySize(text);
      for (const other of valuesUnder<InlinePolicyDocument>(documents, keys.inline(call.account, role)))
        if (other.name !== name) size += policySize(other.document);
      if (size > LIMITS.inlinePoliciesSize) throw iamErrors.inlineSize(LIMITS.inlinePoliciesSize, role);
      const value: InlinePolicyDocument = { name, document: text };
      return [unchanged(document), { key: [...keys.inline(call.account, role), name], value }];
    });
    return {};
  };

  const GetRolePolicy: Handler<Iam, "GetRolePolicy"> = (input, call) => {
    const { value } = requireInline(call.account, input.RoleName, input.PolicyName);
    return {
      RoleName: input.RoleName,
      PolicyName: value.name,
      PolicyDocument: encodeDocument(value.document),
    };
  };

  const DeleteRolePolicy: Handler<Iam, "DeleteRolePolicy"> = async (input, call) => {
    const { key } = requireInline(call.account, input.RoleName, input.PolicyName);
    await documents.commit([{ key, delete: true }]);
    return {};
  };

  const ListRolePolicies: Handler<Iam, "ListRolePolicies"> = (input, call) => {
    requireRole(documents, call.account, input.RoleName);
    const all = valuesUnder<InlinePolicyDocument>(documents, keys.inline(call.account, input.RoleName ?? ""));
    const { items, paging } = paginate(input, all, ({ name }) => name);
    return { PolicyNames: items.map(({ name }) => name), ...paging };
  };

  function requireInline(account: string, role = "", name = "") {
    requireRole(documents, account, role);
    const document = documents.get<InlinePolicyDocument>([...keys.inline(account, role), name]);
    if (document === undefined) throw iamErrors.inlineMissing(name);
    return document;
  }

  return {
    AttachRolePolicy,
    DetachRolePolicy,
    ListAttachedRolePolicies,
    PutRolePolicy,
    GetRolePolicy,
    DeleteRolePolicy,
    ListRolePolicies,
  } satisfies OperationsOf<Iam>;
}
