import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { AwsError } from "#core/errors";
import { callOf, testCall } from "../../../test/support/call.ts";
import { CERTIFICATE } from "../../../test/support/certificate.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { accountReportOperations } from "./operations/account-reports.ts";
import { signingCertificateOperations } from "./operations/signing-certificates.ts";
import { sshPublicKeyOperations } from "./operations/ssh-public-keys.ts";
import { userOperations } from "./operations/users.ts";
import { readSshPublicKey } from "./ssh-public-key.ts";

const storage = withStorage();
const call = testCall();
const UserName = "u";

function setUp() {
  const deps = iamDeps(storage().documents);
  return {
    ...accountReportOperations(deps),
    ...signingCertificateOperations(deps),
    ...sshPublicKeyOperations(deps),
    ...userOperations(deps),
  };
}

/** Made by ssh-keygen, which also says the fingerprint and the other form. */
const SSH =
  "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC+iwL41B1dqAHJpBkLMw9Qk/zVQ+W+CcFonipLkipejB2Am23qK+x8H+CGC36S1XtHmyC4ran+y9wD" +
  "EDO3f/W7hegnFCmD0MPKDT93bUwnCvT22vu/+uA+DIR7RLr/xYST/HCpfiZl+BnpqvsogZzZkxR9OmTQN/GO/o9uncdlkyPhyU3CHTnDUYbVqjvv5eqq" +
  "yNbK6geneRze1y5RHZcK4/gWtNK8r5ssRSti411E94+O5yiI2XNSGdeMEct8b8iVC+zh9y9y9+3BvSuMxjMw8Kl/eju1E2PKSygiSxkhlUAk1eq4MJrB" +
  "F4nHi/QdPU2DrR/M6SsRXzJusrBL/DJV ann@example";
const PEM = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAvosC+NQdXagByaQZCzMP
UJP81UPlvgnBaJ4qS5IqXowdgJtt6ivsfB/ghgt+ktV7R5sguK2p/svcAxAzt3/1
u4XoJxQpg9DDyg0/d21MJwr09tr7v/rgPgyEe0S6/8WEk/xwqX4mZfgZ6ar7KIGc
2ZMUfTpk0Dfxjv6Pbp3HZZMj4clNwh05w1GG1ao77+XqqsjWyuoHp3kc3tcuUR2X
CuP4FrTSvK+bLEUrYuNdRPePjucoiNlzUhnXjBHLfG/IlQvs4fcvcvftwb0rjMYz
MPCpf3o7tRNjyksoIksZIZVAJNXquDCawReJx4v0HT1Ng60fzOkrEV8ybrKwS/wy
VQIDAQAB
-----END PUBLIC KEY-----
`;
const Fingerprint = "5a:d6:27:a2:9d:6f:9a:d1:50:ea:35:ca:e2:ba:5b:ef";

/** Others like it. */
const OTHERS = ["A", "B", "C", "D", "E"].map((last) => SSH.replace(/V ann@example$/, last));

it("keeps SSH keys of users, and shows them in both forms", async () => {
  const iam = setUp();
  await iam.CreateUser({ UserName }, call);
  const { SSHPublicKey } = await iam.UploadSSHPublicKey({ UserName, SSHPublicKeyBody: SSH }, call);
  expect(SSHPublicKey).toMatchObject({ UserName, Fingerprint, SSHPublicKeyBody: SSH, Status: "Active" });
  const of = { UserName, SSHPublicKeyId: SSHPublicKey?.SSHPublicKeyId };
  expect(of.SSHPublicKeyId).toMatch(/^APKA\w{17}$/);
  const body = async (Encoding: "SSH" | "PEM") =>
    (await iam.GetSSHPublicKey({ ...of, Encoding }, call)).SSHPublicKey?.SSHPublicKeyBody;
  expect([await body("SSH"), await body("PEM")]).toEqual([SSH, PEM]);
  await expect(iam.UploadSSHPublicKey({ UserName, SSHPublicKeyBody: PEM }, call)).rejects.toMatchObject({
    code: "DuplicateSSHPublicKey",
  });
  await iam.UpdateSSHPublicKey({ ...of, Status: "Inactive" }, call);
  expect((await iam.ListSSHPublicKeys({ UserName }, call)).SSHPublicKeys).toMatchObject([
    { Status: "Inactive" },
  ]);
  await iam.UpdateUser({ UserName, NewUserName: "v" }, call);
  await iam.UpdateUser({ UserName: "v", NewUserName: UserName }, call);
  await expect(iam.DeleteUser({ UserName }, call)).rejects.toMatchObject({ code: "DeleteConflict" });
  const [tooMany = "", ...others] = OTHERS;
  for (const SSHPublicKeyBody of others) await iam.UploadSSHPublicKey({ UserName, SSHPublicKeyBody }, call);
  await expect(iam.UploadSSHPublicKey({ UserName, SSHPublicKeyBody: tooMany }, call)).rejects.toThrow(
    "Cannot exceed quota for SSHPublicKeysPerUser: 5",
  );
  await iam.DeleteSSHPublicKey(of, call);
  expect(() => iam.GetSSHPublicKey({ ...of, Encoding: "SSH" }, call)).toThrow("cannot be found");
  expect((await iam.ListSSHPublicKeys({ UserName, MaxItems: 3 }, call)).IsTruncated).toBe(true);
});

it.each([
  [
    "another algorithm",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILMFkOrBILOrecOf6+5FriOz2K2xqMLzCY3x2LtNRg1y",
    "Unrecognized",
  ],
  ["no key", "hello", "Unrecognized"],
  ["no key behind its name", "ssh-rsa hello", "InvalidPublicKey"],
  ["a key that is cut off", SSH.slice(0, 200), "InvalidPublicKey"],
  [
    "a short key",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCceZJEm+NdP3YSmF3oflVEWNiSsiJNuym3opIm7BwuUTGs0xNGYLHtmSU56K//El190PBOS/ipzBs7" +
      "4ZwvQBdsYljN6ebNIc1O1UMP2V9fSItu1lLlpX2w00cETkU80F//+4O/lEvU/2buSVhb7ftxs/rCG3xUEioDufaEJHB5sQ==",
    "InvalidPublicKey",
  ],
  [
    "a private key",
    generateKeyPairSync("ec", { namedCurve: "P-256" })
      .privateKey.export({ format: "pem", type: "pkcs8" })
      .toString(),
    "InvalidPublicKey",
  ],
])("refuses %s as an SSH key", (_what, body, code) => {
  expect(() => readSshPublicKey(body)).toThrow(
    expect.objectContaining({ code: expect.stringContaining(code) }),
  );
});

it("refuses whatever else it is handed as an SSH key", () => {
  const broken = fc
    .tuple(fc.nat(SSH.length), fc.string())
    .map(([at, by]) => SSH.slice(0, at) + by + SSH.slice(at + 1));
  const blob = fc
    .uint8Array({ maxLength: 64 })
    .map((bytes) => `ssh-rsa ${Buffer.from(bytes).toString("base64")}`);
  fc.assert(
    fc.property(fc.oneof(fc.string(), broken, blob), (body) => {
      try {
        readSshPublicKey(body);
      } catch (error) {
        expect(error).toBeInstanceOf(AwsError);
      }
    }),
  );
});

it("keeps up to two signing certificates of a user", async () => {
  const iam = setUp();
  const { User } = await iam.CreateUser({ UserName }, call);
  const principal = {
    kind: "user",
    account: call.account,
    arn: User?.Arn ?? "",
    userId: User?.UserId ?? "",
    userName: UserName,
  } as const;
  // Without a name, the caller's own.
  const { Certificate } = await iam.UploadSigningCertificate(
    { CertificateBody: CERTIFICATE },
    callOf({ principal }),
  );
  expect(Certificate).toMatchObject({ UserName, CertificateBody: CERTIFICATE, Status: "Active" });
  const again = iam.UploadSigningCertificate({ UserName, CertificateBody: CERTIFICATE }, call);
  await expect(again).rejects.toMatchObject({ code: "DuplicateCertificate" });
  const none = iam.UploadSigningCertificate({ UserName, CertificateBody: "none" }, call);
  await expect(none).rejects.toMatchObject({ code: "MalformedCertificate" });
  const of = { UserName, CertificateId: Certificate?.CertificateId };
  await iam.UpdateSigningCertificate({ ...of, Status: "Inactive" }, call);
  expect((await iam.ListSigningCertificates({ UserName }, call)).Certificates).toMatchObject([
    { ...of, Status: "Inactive" },
  ]);
  await iam.GenerateCredentialReport({}, call);
  const { Content } = await iam.GetCredentialReport({}, call);
  expect(Buffer.from(Content ?? []).toString()).toMatch(/,false,2026-01-01T00:00:00\+00:00,false,N\/A$/);
  await expect(iam.DeleteUser({ UserName }, call)).rejects.toMatchObject({ code: "DeleteConflict" });
  await iam.DeleteSigningCertificate(of, call);
  await iam.DeleteUser({ UserName }, call);
});
