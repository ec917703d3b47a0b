import type * as client from "@aws-sdk/client-iam";
import type { CallContext, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { checkPolicyDocument, encodeDocument, policySize } from "../policy-document.ts";
import type { AttachmentDocument, HolderKind, InlinePolicyDocument, Paging } from "../store.ts";
import {
  findPolicy,
  keys,
  paginate,
  policyExists,
  requireHolder,
  unchanged,
  valuesUnder,
  where,
} from "../store.ts";

type Iam = typeof client;

/** The inline policies and attachments of roles, users and groups, which differ in the names of their members alone. */
export function holderPolicyOperations(deps: IamDeps) {
  const [roles, users, groups] = [
    policiesOf(deps, "role"),
    policiesOf(deps, "user"),
    policiesOf(deps, "group"),
  ];
  return {
    AttachRolePolicy: (input, call) => roles.attach(call, input.RoleName, input.PolicyArn),
    AttachUserPolicy: (input, call) => users.attach(call, input.UserName, input.PolicyArn),
    AttachGroupPolicy: (input, call) => groups.attach(call, input.GroupName, input.PolicyArn),
    DetachRolePolicy: (input, call) => roles.detach(call, input.RoleName, input.PolicyArn),
    DetachUserPolicy: (input, call) => users.detach(call, input.UserName, input.PolicyArn),
    DetachGroupPolicy: (input, call) => groups.detach(call, input.GroupName, input.PolicyArn),
    ListAttachedRolePolicies: (input, call) => roles.listAttached(call, input.RoleName, input),
    ListAttachedUserPolicies: (input, call) => users.listAttached(call, input.UserName, input),
    ListAttachedGroupPolicies: (input, call) => groups.listAttached(call, input.GroupName, input),
    PutRolePolicy: (input, call) => roles.put(call, input.RoleName, input),
    PutUserPolicy: (input, call) => users.put(call, input.UserName, input),
    PutGroupPolicy: (input, call) => groups.put(call, input.GroupName, input),
    GetRolePolicy: (input, call) => ({
      RoleName: input.RoleName,
      ...roles.get(call, input.RoleName, input.PolicyName),
    }),
    GetUserPolicy: (input, call) => ({
      UserName: input.UserName,
      ...users.get(call, input.UserName, input.PolicyName),
    }),
    GetGroupPolicy: (input, call) => ({
      GroupName: input.GroupName,
      ...groups.get(call, input.GroupName, input.PolicyName),
    }),
    DeleteRolePolicy: (input, call) => roles.delete(call, input.RoleName, input.PolicyName),
    DeleteUserPolicy: (input, call) => users.delete(call, input.UserName, input.PolicyName),
    DeleteGroupPolicy: (input, call) => groups.delete(call, input.GroupName, input.PolicyName),
    ListRolePolicies: (input, call) => roles.list(call, input.RoleName, input),
    ListUserPolicies: (input, call) => users.list(call, input.UserName, input),
    ListGroupPolicies: (input, call) => groups.list(call, input.GroupName, input),
  } satisfies OperationsOf<Iam>;
}

const QUOTAS: Readonly<Record<HolderKind, string>> = {
  role: "PoliciesPerRole",
  user: "PoliciesPerUser",
  group: "PoliciesPerGroup",
};

interface InlinePolicyInput {
  readonly PolicyName?: string | undefined;
  readonly PolicyDocument?: string | undefined;
}

/** Each change also writes the holder, unchanged, so that a holder is deleted only while it has no policies. */
function policiesOf({ documents }: IamDeps, kind: HolderKind) {
  const attachedKey = (account: string, name: string) => keys.attached(account, kind, name);

  function requireInline(account: string, holder = "", name = "") {
    requireHolder(documents, kind, account, holder);
    const document = documents.get<InlinePolicyDocument>([...keys.inline(account, kind, holder), name]);
    if (document === undefined) throw iamErrors.inlineMissing(kind, name);
    return document;
  }

  return {
    async attach({ account }: CallContext, name = "", arn = "") {
      await revise(documents, keyOf(kind, account, name), () => {
        const known = policyExists(documents, account, arn);
        const holder = requireHolder(documents, kind, account, name);
        if (!known) throw iamErrors.policyNotAttachable(arn);
        const attached = Array.from(documents.list<AttachmentDocument>(attachedKey(account, name)));
        if (attached.some(({ value }) => value.policyArn === arn)) return [];
        if (attached.length >= LIMITS.policiesPerHolder)
          throw iamErrors.quota(QUOTAS[kind], LIMITS.policiesPerHolder);
        const policy = findPolicy(documents, account, arn);
        const value: AttachmentDocument = { policyArn: arn };
        return [
          unchanged(holder),
          ...(policy === undefined ? [] : [unchanged(policy)]),
          { key: [...attachedKey(account, name), arn], value },
          { key: [...keys.entities(account, arn, kind), name], value },
        ];
      });
      return {};
    },

    async detach({ account }: CallContext, name = "", arn = "") {
      findPolicy(documents, account, arn);
      requireHolder(documents, kind, account, name);
      const attachment = documents.get([...attachedKey(account, name), arn]);
      if (attachment === undefined) throw iamErrors.policyMissing(arn);
      await documents.commit([
        { key: attachment.key, delete: true },
        { key: [...keys.entities(account, arn, kind), name], delete: true },
      ]);
      return {};
    },

    listAttached({ account }: CallContext, name = "", input: Paging & { PathPrefix?: string | undefined }) {
      requireHolder(documents, kind, account, name);
      const all = valuesUnder<AttachmentDocument>(documents, attachedKey(account, name));
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
    },

    async put({ account }: CallContext, holderName = "", input: InlinePolicyInput) {
      const [name, text] = [input.PolicyName ?? "", input.PolicyDocument ?? ""];
      await revise(documents, keyOf(kind, account, holderName), () => {
        const holder = requireHolder(documents, kind, account, holderName);
        checkPolicyDocument(text, "identity");
        let size = policySize(text);
        const all = keys.inline(account, kind, holderName);
        for (const other of valuesUnder<InlinePolicyDocument>(documents, all))
          if (other.name !== name) size += policySize(other.document);
        const limit = LIMITS.inlinePoliciesSize[kind];
        if (size > limit) throw iamErrors.inlineSize(limit, kind, holderName);
        const value: InlinePolicyDocument = { name, document: text };
        return [unchanged(holder), { key: [...all, name], value }];
      });
      return {};
    },

    get({ account }: CallContext, holder: string | undefined, name: string | undefined) {
      const { value } = requireInline(account, holder, name);
      return { PolicyName: value.name, PolicyDocument: encodeDocument(value.document) };
    },

    async delete({ account }: CallContext, holder: string | undefined, name: string | undefined) {
      const { key } = requireInline(account, holder, name);
      await documents.commit([{ key, delete: true }]);
      return {};
    },

    list({ account }: CallContext, holder = "", input: Paging) {
      requireHolder(documents, kind, account, holder);
      const all = valuesUnder<InlinePolicyDocument>(documents, keys.inline(account, kind, holder));
      const { items, paging } = paginate(input, all, ({ name }) => name);
      return { PolicyNames: items.map(({ name }) => name), ...paging };
    },
  };
}

function keyOf(kind: HolderKind, account: string, name: string) {
  return kind === "role"
    ? keys.role(account, name)
    : kind === "user"
      ? keys.user(account, name)
      : keys.group(account, name);
}
