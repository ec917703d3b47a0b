import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { CERTIFICATE as CertificateBody } from "../../../test/support/certificate.ts";
import { callOf, testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accountOperations } from "./operations/account.ts";
import { groupOperations } from "./operations/groups.ts";
import { holderPolicyOperations } from "./operations/holder-policies.ts";
import { mfaDeviceOperations } from "./operations/mfa-devices.ts";
import { serverCertificateOperations } from "./operations/server-certificates.ts";
import { userCredentialOperations } from "./operations/user-credentials.ts";
import { userOperations } from "./operations/users.ts";
import { codeOf, fromBase32, stepAt } from "./totp.ts";

const storage = withStorage();
const call = testCall();

function setUp() {
  const deps = iamDeps(storage().documents);
  return {
    clock: deps.clock,
    ...accountOperations(deps),
    ...groupOperations(deps),
    ...holderPolicyOperations(deps),
    ...mfaDeviceOperations(deps),
    ...serverCertificateOperations(deps),
    ...userCredentialOperations(deps),
    ...userOperations(deps),
  };
}

it("moves what hangs from a group to its new name", async () => {
  const iam = setUp();
  const PolicyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
  await iam.CreateUser({ UserName: "u" }, call);
  await iam.CreateGroup({ GroupName: "old" }, call);
  await iam.CreateGroup({ GroupName: "taken" }, call);
  await iam.AddUserToGroup({ GroupName: "old", UserName: "u" }, call);
  await iam.AttachGroupPolicy({ GroupName: "old", PolicyArn }, call);
  await expect(iam.UpdateGroup({ GroupName: "old", NewGroupName: "taken" }, call)).rejects.toThrow("exists");
  await iam.UpdateGroup({ GroupName: "old", NewGroupName: "new", NewPath: "/p/" }, call);
  expect(() => iam.GetGroup({ GroupName: "old" }, call)).toThrow("cannot be found");
  const { Group, Users } = await iam.GetGroup({ GroupName: "new" }, call);
  expect(Group?.Arn).toBe("arn:aws:iam::111111111111:group/p/new");
  expect(Users?.map(({ UserName }) => UserName)).toEqual(["u"]);
  const groups = async (UserName: string) => (await iam.ListGroupsForUser({ UserName }, call)).Groups;
  const attached = (GroupName: string) => iam.ListAttachedGroupPolicies({ GroupName }, call).AttachedPolicies;
  expect((await groups("u"))?.map(({ GroupName }) => GroupName)).toEqual(["new"]);
  expect(attached("new")).toHaveLength(1);
  // Another case is the same group, and the same user.
  await iam.UpdateUser({ UserName: "u", NewUserName: "U" }, call);
  expect((await iam.GetGroup({ GroupName: "new" }, call)).Users?.[0]?.UserName).toBe("U");
  await iam.UpdateGroup({ GroupName: "new", NewGroupName: "New" }, call);
  expect((await groups("U"))?.map(({ GroupName }) => GroupName)).toEqual(["New"]);
  expect(attached("New")).toHaveLength(1);
});

it("lets users change their own password to what the account's policy allows", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName: "u" }, call);
  await iam.CreateLoginProfile({ UserName: "u", Password: "first" }, call);
  await iam.UpdateAccountPasswordPolicy({ MinimumPasswordLength: 8, RequireNumbers: true }, call);
  const { User } = await iam.GetUser({ UserName: "u" }, call);
  const principal = {
    kind: "user",
    account: call.account,
    arn: User?.Arn ?? "",
    userId: User?.UserId ?? "",
    userName: "u",
  } as const;
  const change = async (OldPassword: string, NewPassword: string) =>
    iam.ChangePassword({ OldPassword, NewPassword }, callOf({ principal }));
  await expect(change("wrong", "password1")).rejects.toMatchObject({ code: "AccessDenied" });
  await expect(change("first", "short1")).rejects.toThrow("a minimum length of 8");
  await expect(change("first", "long enough")).rejects.toThrow("at least one number");
  await change("first", "password1");
  await expect(change("first", "password2")).rejects.toMatchObject({ code: "AccessDenied" });
  await expect(
    (async () => iam.ChangePassword({ OldPassword: "password1", NewPassword: "password2" }, call))(),
  ).rejects.toMatchObject({ code: "InvalidUserType" });
});

it("computes the codes of RFC 6238", () => {
  const seed = Buffer.from("12345678901234567890");
  expect([59, 1_111_111_109, 20_000_000_000].map((time) => codeOf(seed, stepAt(time * 1000)))).toEqual([
    "287082",
    "081804",
    "353130",
  ]);
  expect(fromBase32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")).toEqual(seed);
});

it("sets up virtual devices with two codes that follow one another", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName: "u" }, call);
  const { VirtualMFADevice } = await iam.CreateVirtualMFADevice({ VirtualMFADeviceName: "d" }, call);
  const SerialNumber = VirtualMFADevice?.SerialNumber ?? "";
  expect(SerialNumber).toBe("arn:aws:iam::111111111111:mfa/d");
  const seed = fromBase32(Buffer.from(VirtualMFADevice?.Base32StringSeed ?? []).toString());
  const [first, second] = [codeOf(seed, stepAt(iam.clock.now())), codeOf(seed, stepAt(iam.clock.now()) + 1)];
  const enable = (AuthenticationCode1: string, AuthenticationCode2: string) =>
    iam.EnableMFADevice({ UserName: "u", SerialNumber, AuthenticationCode1, AuthenticationCode2 }, call);
  await expect(enable(first, first)).rejects.toMatchObject({ code: "InvalidAuthenticationCode" });
  await enable(first, second);
  await expect(enable(first, second)).rejects.toThrow("already exists");
  await expect(iam.DeleteVirtualMFADevice({ SerialNumber }, call)).rejects.toThrow("Must deactivate first");
  await expect(iam.DeleteUser({ UserName: "u" }, call)).rejects.toThrow("must delete MFA device first");
  await iam.UpdateUser({ UserName: "u", NewUserName: "v" }, call);
  const { VirtualMFADevices } = await iam.ListVirtualMFADevices({ AssignmentStatus: "Assigned" }, call);
  expect(VirtualMFADevices).toMatchObject([{ SerialNumber, User: { UserName: "v" } }]);
  expect((await iam.ListMFADevices({ UserName: "v" }, call)).MFADevices).toHaveLength(1);
  const enabled = { UserName: "v", SerialNumber, EnableDate: new Date(iam.clock.now()) };
  expect(await iam.GetMFADevice({ SerialNumber }, call)).toEqual(enabled);
  expect(await iam.GetMFADevice({ SerialNumber, UserName: "v" }, call)).toEqual(enabled);
  await iam.CreateUser({ UserName: "w" }, call);
  expect(() => iam.GetMFADevice({ SerialNumber, UserName: "w" }, call)).toThrow("does not exist");
  expect((await iam.GetAccountSummary({}, call)).SummaryMap).toMatchObject({
    MFADevices: 1,
    MFADevicesInUse: 1,
  });
  await iam.DeactivateMFADevice({ UserName: "v", SerialNumber }, call);
  expect(() => iam.GetMFADevice({ SerialNumber }, call)).toThrow("does not exist");
  await iam.DeleteVirtualMFADevice({ SerialNumber }, call);
  expect((await iam.ListVirtualMFADevices({}, call)).VirtualMFADevices).toEqual([]);
});

/** In DER. */
const KEY =
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgolOsY5PhhSqFdKGkWXVaYYCI4kKWex5RAzwoU/rOXKKhRANCAASDPYbpp01nC8Ke" +
  "SjsuBoLwdABG/KlopITkNwvHo8CjCj1Xn4Zk2OZQ0upADjkW/Ss4/s5eJN/ar30GDj6v9ezG";

it("keeps certificates of servers whose key is theirs", async () => {
  const iam = setUp();
  const key = createPrivateKey({ key: Buffer.from(KEY, "base64"), format: "der", type: "pkcs8" });
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const pem = (of: typeof key) => of.export({ format: "pem", type: "pkcs8" }).toString();
  const upload = (PrivateKey: string, body = CertificateBody) =>
    iam.UploadServerCertificate({ ServerCertificateName: "c", CertificateBody: body, PrivateKey }, call);
  await expect(upload(pem(other))).rejects.toMatchObject({ code: "KeyPairMismatch" });
  await expect(upload("no key")).rejects.toMatchObject({ code: "MalformedCertificate" });
  await expect(upload(pem(key), "no certificate")).rejects.toMatchObject({ code: "MalformedCertificate" });
  const { ServerCertificateMetadata } = await upload(pem(key));
  expect(ServerCertificateMetadata).toMatchObject({
    Arn: "arn:aws:iam::111111111111:server-certificate/c",
    Expiration: new Date("2126-11-02T20:15:21Z"),
  });
  await expect(upload(pem(key))).rejects.toThrow("already exists");
  const renaming = { ServerCertificateName: "c", NewServerCertificateName: "d", NewPath: "/p/" };
  await iam.UpdateServerCertificate(renaming, call);
  const { ServerCertificateMetadataList } = await iam.ListServerCertificates({ PathPrefix: "/p/" }, call);
  expect(ServerCertificateMetadataList?.map(({ ServerCertificateName }) => ServerCertificateName)).toEqual([
    "d",
  ]);
  const renamed = { ServerCertificateName: "d" };
  await iam.TagServerCertificate({ ...renamed, Tags: ["a", "b"].map((Key) => ({ Key, Value: "v" })) }, call);
  await iam.UntagServerCertificate({ ...renamed, TagKeys: ["a"] }, call);
  const { Tags } = await iam.ListServerCertificateTags(renamed, call);
  expect(Tags).toEqual([{ Key: "b", Value: "v" }]);
  await iam.DeleteServerCertificate(renamed, call);
  expect(() => iam.GetServerCertificate({ ServerCertificateName: "d" }, call)).toThrow("cannot be found");
});
