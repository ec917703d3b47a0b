import type * as client from "@aws-sdk/client-iam";
import type { Handler, OperationsOf } from "#wire/operation";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { fingerprintOf, pemOf, readSshPublicKey, sshOf } from "../ssh-public-key.ts";
import { paginate } from "../store.ts";
import { belongingsOf, statusOf } from "../user-belongings.ts";

type Iam = typeof client;

interface SshKeyDocument {
  /** `APKA…` */
  readonly id: string;
  /** The key as SSH sends it, in base64. */
  readonly blob: string;
  readonly comment: string;
  readonly uploaded: number;
  readonly active: boolean;
}

/** SSH keys of users, which CodeCommit takes at AWS: records here. */
export function sshPublicKeyOperations({ documents, clock, ids }: IamDeps) {
  const belongings = belongingsOf<SshKeyDocument>(documents, "user-ssh-key", iamErrors.sshKeyMissing);

  const UploadSSHPublicKey: Handler<Iam, "UploadSSHPublicKey"> = async (input, call) => {
    const user = input.UserName ?? "";
    const { blob, comment } = readSshPublicKey(input.SSHPublicKeyBody ?? "");
    const value: SshKeyDocument = {
      id: `APKA${ids.base32(17)}`,
      blob: blob.toString("base64"),
      comment,
      uploaded: clock.now(),
      active: true,
    };
    await belongings.add(call, user, value, (others) => {
      if (others.some((other) => other.blob === value.blob)) throw iamErrors.sshKeyExists(user);
      if (others.length >= LIMITS.sshPublicKeysPerUser)
        throw iamErrors.quota("SSHPublicKeysPerUser", LIMITS.sshPublicKeysPerUser);
    });
    return { SSHPublicKey: describe(user, value, input.SSHPublicKeyBody ?? "") };
  };

  const GetSSHPublicKey: Handler<Iam, "GetSSHPublicKey"> = (input, call) => {
    const user = input.UserName ?? "";
    const { value } = belongings.require(call, user, input.SSHPublicKeyId);
    const blob = Buffer.from(value.blob, "base64");
    const body = input.Encoding === "PEM" ? pemOf(blob) : sshOf(blob, value.comment);
    return { SSHPublicKey: describe(user, value, body) };
  };

  const ListSSHPublicKeys: Handler<Iam, "ListSSHPublicKeys"> = (input, call) => {
    const user = belongings.userOf(call, input.UserName);
    const { items, paging } = paginate(input, belongings.all(call, user), ({ id }) => id);
    return {
      SSHPublicKeys: items.map((value) => ({
        UserName: user,
        SSHPublicKeyId: value.id,
        Status: statusOf(value),
        UploadDate: new Date(value.uploaded),
      })),
      ...paging,
    };
  };

  const UpdateSSHPublicKey: Handler<Iam, "UpdateSSHPublicKey"> = (input, call) =>
    belongings.switch(call, input.UserName ?? "", input.SSHPublicKeyId, input.Status);

  const DeleteSSHPublicKey: Handler<Iam, "DeleteSSHPublicKey"> = (input, call) =>
    belongings.delete(call, input.UserName ?? "", input.SSHPublicKeyId);

  return {
    UploadSSHPublicKey,
    GetSSHPublicKey,
    ListSSHPublicKeys,
    UpdateSSHPublicKey,
    DeleteSSHPublicKey,
  } satisfies OperationsOf<Iam>;
}

function describe(user: string, key: SshKeyDocument, body: string) {
  return {
    UserName: user,
    SSHPublicKeyId: key.id,
    Fingerprint: fingerprintOf(Buffer.from(key.blob, "base64")),
    SSHPublicKeyBody: body,
    Status: statusOf(key),
    UploadDate: new Date(key.uploaded),
  };
}
