import { createHash } from "node:crypto";
import type * as client from "@aws-sdk/client-iam";
import type { CallContext, Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { IamDeps } from "../deps.ts";
import { iamErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { requirePassword } from "../password-policy.ts";
import { REGION, requireUser, unchanged } from "../store.ts";
import { belongingsOf, statusOf } from "../user-belongings.ts";
import { ownName } from "./users.ts";

type Iam = typeof client;

interface LoginProfileDocument {
  readonly created: number;
  /** There is no console that asks for the password: its hash is kept to tell that one is set. */
  readonly passwordHash: string;
  readonly resetRequired: boolean;
}

interface ServiceCredentialDocument {
  /** `ACCA…` */
  readonly id: string;
  readonly service: string;
  readonly created: number;
  readonly active: boolean;
  readonly passwordHash: string;
}

/** Passwords of users, for the console and for services: kept as records, since nothing here asks for them. */
export function userCredentialOperations({ documents, clock, ids }: IamDeps) {
  const loginKey = (account: string, user: string) =>
    [account, REGION, "login-profile", user.toLowerCase(), "profile"] as const;
  const credentials = belongingsOf<ServiceCredentialDocument>(
    documents,
    "user-service-credential",
    iamErrors.serviceCredentialMissing,
  );

  const CreateLoginProfile: Handler<Iam, "CreateLoginProfile"> = async (input, call) => {
    const name = input.UserName ?? ownName(call);
    const user = requireUser(documents, call.account, name);
    const key = loginKey(call.account, name);
    if (documents.get(key) !== undefined) throw iamErrors.loginProfileExists(name);
    if (input.Password !== undefined) requirePassword(documents, call.account, input.Password);
    const value: LoginProfileDocument = {
      created: clock.now(),
      passwordHash: hash(input.Password ?? ids.hex(32)),
      resetRequired: input.PasswordResetRequired ?? false,
    };
    await documents.commit([unchanged(user), { key, value, expected: 0 }]);
    return { LoginProfile: describeLogin(name, value) };
  };

  const GetLoginProfile: Handler<Iam, "GetLoginProfile"> = (input, call) => {
    const name = input.UserName ?? ownName(call);
    return { LoginProfile: describeLogin(name, requireLogin(call, name).value) };
  };

  const UpdateLoginProfile: Handler<Iam, "UpdateLoginProfile"> = async (input, call) => {
    const { key, value } = requireLogin(call, input.UserName ?? "");
    if (input.Password !== undefined) requirePassword(documents, call.account, input.Password);
    const passwordHash = input.Password === undefined ? value.passwordHash : hash(input.Password);
    const resetRequired = input.PasswordResetRequired ?? value.resetRequired;
    await documents.commit([{ key, value: { ...value, passwordHash, resetRequired } }]);
    return {};
  };

  const ChangePassword: Handler<Iam, "ChangePassword"> = async (input, call) => {
    const { principal } = call;
    if (principal.kind !== "user") throw iamErrors.notAUser();
    const { key } = requireLogin(call, principal.userName);
    await revise<LoginProfileDocument>(documents, key, () => {
      const { value } = requireLogin(call, principal.userName);
      if (value.passwordHash !== hash(input.OldPassword ?? "")) throw iamErrors.oldPassword();
      requirePassword(documents, call.account, input.NewPassword ?? "");
      return [
        { key, value: { ...value, passwordHash: hash(input.NewPassword ?? ""), resetRequired: false } },
      ];
    });
    return {};
  };

  const DeleteLoginProfile: Handler<Iam, "DeleteLoginProfile"> = async (input, call) => {
    const { key } = requireLogin(call, input.UserName ?? ownName(call));
    await documents.commit([{ key, delete: true }]);
    return {};
  };

  const CreateServiceSpecificCredential: Handler<Iam, "CreateServiceSpecificCredential"> = async (
    input,
    call,
  ) => {
    const name = input.UserName ?? "";
    const password = newPassword();
    const made: ServiceCredentialDocument = {
      id: `ACCA${ids.base32(17)}`,
      service: input.ServiceName ?? "",
      created: clock.now(),
      active: true,
      passwordHash: hash(password),
    };
    await credentials.add(call, name, made, (others) => {
      const same = others.filter(({ service }) => service === made.service);
      if (same.length >= LIMITS.serviceCredentialsPerService)
        throw iamErrors.quota("ServiceSpecificCredentialsPerUser", LIMITS.serviceCredentialsPerService);
    });
    return { ServiceSpecificCredential: { ...describe(call, name, made), ServicePassword: password } };
  };

  const ListServiceSpecificCredentials: Handler<Iam, "ListServiceSpecificCredentials"> = (input, call) => {
    const name = credentials.userOf(call, input.UserName);
    const wanted = credentials
      .all(call, name)
      .filter(({ service }) => input.ServiceName === undefined || service === input.ServiceName);
    return { ServiceSpecificCredentials: wanted.map((one) => describe(call, name, one)) };
  };

  const UpdateServiceSpecificCredential: Handler<Iam, "UpdateServiceSpecificCredential"> = (input, call) =>
    credentials.switch(
      call,
      credentials.userOf(call, input.UserName),
      input.ServiceSpecificCredentialId,
      input.Status,
    );

  const ResetServiceSpecificCredential: Handler<Iam, "ResetServiceSpecificCredential"> = async (
    input,
    call,
  ) => {
    const name = credentials.userOf(call, input.UserName);
    const { key, value } = credentials.require(call, name, input.ServiceSpecificCredentialId);
    const password = newPassword();
    await documents.commit([{ key, value: { ...value, passwordHash: hash(password) } }]);
    return { ServiceSpecificCredential: { ...describe(call, name, value), ServicePassword: password } };
  };

  const DeleteServiceSpecificCredential: Handler<Iam, "DeleteServiceSpecificCredential"> = (input, call) =>
    credentials.delete(call, credentials.userOf(call, input.UserName), input.ServiceSpecificCredentialId);

  function requireLogin(call: CallContext, name: string) {
    requireUser(documents, call.account, name);
    const found = documents.get<LoginProfileDocument>(loginKey(call.account, name));
    if (found === undefined) throw iamErrors.loginProfileMissing(name);
    return found;
  }

  function newPassword(): string {
    return Buffer.from(ids.hex(66), "hex").toString("base64");
  }

  return {
    CreateLoginProfile,
    GetLoginProfile,
    UpdateLoginProfile,
    ChangePassword,
    DeleteLoginProfile,
    CreateServiceSpecificCredential,
    ListServiceSpecificCredentials,
    UpdateServiceSpecificCredential,
    ResetServiceSpecificCredential,
    DeleteServiceSpecificCredential,
  } satisfies OperationsOf<Iam>;
}

function hash(password: string): string {
  return createHash("sha256").update(password).digest("hex");
}

function describeLogin(UserName: string, profile: LoginProfileDocument) {
  return { UserName, CreateDate: new Date(profile.created), PasswordResetRequired: profile.resetRequired };
}

/** Recorded: test_service_specific_credential_lifecycle. */
function describe(call: CallContext, user: string, credential: ServiceCredentialDocument) {
  return {
    CreateDate: new Date(credential.created),
    ServiceName: credential.service,
    ServiceUserName: `${user}-at-${call.account}`,
    ServiceSpecificCredentialId: credential.id,
    UserName: user,
    Status: statusOf(credential),
  };
}
