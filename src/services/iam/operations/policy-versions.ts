import type * as client from "@aws-sdk/client-iam";
import type { Document } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { findManagedPolicy, managedPolicyDocument } from "../managed-policies.ts";
import { encodeDocument } from "../policy-document.ts";
import type { PolicyDocument, PolicyVersionDocument } from "../store.ts";
import { findPolicy, keys, paginate, policyExists, requirePolicy, valuesUnder } from "../store.ts";
import { checkManaged, refuseManaged } from "./policies.ts";

type Iam = typeof client;

export function policyVersionOperations({ documents, clock }: IamDeps) {
  const CreatePolicyVersion: Handler<Iam, "CreatePolicyVersion"> = async (input, call) => {
    const [arn, text, now] = [input.PolicyArn ?? "", input.PolicyDocument ?? "", clock.now()];
    refuseManaged(arn);
    const { key } = requirePolicy(documents, call.account, arn);
    checkManaged(text);
    let made: { version: PolicyVersionDocument; isDefault: boolean } | undefined;
    await revise<PolicyDocument>(documents, key, () => {
      const policy = requirePolicy(documents, call.account, arn).value;
      if (versionsOf(call.account, policy).length >= LIMITS.policyVersions) throw iamErrors.tooManyVersions();
      const version: PolicyVersionDocument = { number: policy.lastVersion + 1, created: now, document: text };
      made = { version, isDefault: input.SetAsDefault === true };
      const defaultVersion = made.isDefault ? version.number : policy.defaultVersion;
      return [
        { key, value: { ...policy, updated: now, lastVersion: version.number, defaultVersion } },
        { key: [...keys.versions(call.account, policy.name), version.number], value: version },
      ];
    });
    return made === undefined ? {} : { PolicyVersion: describeVersion(made.version, made.isDefault) };
  };

  const GetPolicyVersion: Handler<Iam, "GetPolicyVersion"> = (input, call) => {
    const [arn, id] = [input.PolicyArn ?? "", input.VersionId ?? ""];
    const policy = findPolicy(documents, call.account, arn);
    if (policy !== undefined) {
      const { value } = requireVersion(call.account, arn, policy.value, id);
      const isDefault = value.number === policy.value.defaultVersion;
      return {
        PolicyVersion: { Document: encodeDocument(value.document), ...describeVersion(value, isDefault) },
      };
    }
    const managed = findManagedPolicy(arn);
    if (managed === undefined) throw iamErrors.policyMissing(arn);
    if (id !== "v1") throw iamErrors.versionMissing(arn, id);
    const document = encodeDocument(managedPolicyDocument(managed));
    return { PolicyVersion: { Document: document, VersionId: "v1", IsDefaultVersion: true } };
  };

  const ListPolicyVersions: Handler<Iam, "ListPolicyVersions"> = (input, call) => {
    const arn = input.PolicyArn ?? "";
    if (!policyExists(documents, call.account, arn)) throw iamErrors.policyMissing(arn);
    const policy = findPolicy(documents, call.account, arn)?.value;
    if (policy === undefined)
      return { Versions: [{ VersionId: "v1", IsDefaultVersion: true }], IsTruncated: false };
    // Newest first; at most five, so the marker need only say how many remain.
    const versions = versionsOf(call.account, policy).toReversed();
    const { items, paging } = paginate(input, versions, ({ number }) =>
      String(Number.MAX_SAFE_INTEGER - number),
    );
    return {
      Versions: items.map((version) => describeVersion(version, version.number === policy.defaultVersion)),
      ...paging,
    };
  };

  const SetDefaultPolicyVersion: Handler<Iam, "SetDefaultPolicyVersion"> = async (input, call) => {
    const [arn, id] = [input.PolicyArn ?? "", input.VersionId ?? ""];
    refuseManaged(arn);
    const { key } = requirePolicy(documents, call.account, arn);
    await revise<PolicyDocument>(documents, key, () => {
      const policy = requirePolicy(documents, call.account, arn).value;
      const { value } = requireVersion(call.account, arn, policy, id);
      return [{ key, value: { ...policy, updated: clock.now(), defaultVersion: value.number } }];
    });
    return {};
  };

  const DeletePolicyVersion: Handler<Iam, "DeletePolicyVersion"> = async (input, call) => {
    const [arn, id] = [input.PolicyArn ?? "", input.VersionId ?? ""];
    refuseManaged(arn);
    const { key } = requirePolicy(documents, call.account, arn);
    await revise<PolicyDocument>(documents, key, () => {
      const policy = requirePolicy(documents, call.account, arn).value;
      const version = requireVersion(call.account, arn, policy, id);
      if (version.value.number === policy.defaultVersion) throw iamErrors.defaultVersion();
      return [
        { key, value: { ...policy, updated: clock.now() } },
        { key: version.key, delete: true },
      ];
    });
    return {};
  };

  function versionsOf(account: string, policy: PolicyDocument): readonly PolicyVersionDocument[] {
    return [...valuesUnder<PolicyVersionDocument>(documents, keys.versions(account, policy.name))];
  }

  function requireVersion(
    account: string,
    arn: string,
    policy: PolicyDocument,
    id: string,
  ): Document<PolicyVersionDocument> {
    const number = Number(/^v([1-9]\d*)$/u.exec(id)?.[1] ?? 0);
    const document = documents.get<PolicyVersionDocument>([...keys.versions(account, policy.name), number]);
    if (document === undefined) throw iamErrors.versionMissing(arn, id);
    return document;
  }

  return {
    CreatePolicyVersion,
    GetPolicyVersion,
    ListPolicyVersions,
    SetDefaultPolicyVersion,
    DeletePolicyVersion,
  } satisfies OperationsOf<Iam>;
}

/** What every response shows of a version. */
export function describeVersion(version: PolicyVersionDocument, isDefault: boolean) {
  return {
    VersionId: `v${version.number}`,
    IsDefaultVersion: isDefault,
    CreateDate: new Date(version.created),
  };
}
