import { generateKeyPairSync } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { makeCertificate } from "#core/x509/certificate";
import { testCall } from "../../../test/support/call.ts";
import { iamDeps } from "../../../test/support/iam-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createIamService } from "./service.ts";
import { codeOf, fromBase32, stepAt } from "./totp.ts";

const storage = withStorage();
const call = testCall();
const ROOT = `arn:aws:iam::${call.account}`;

let clock: ReturnType<typeof iamDeps>["clock"];
let ask: (operation: string, input: object) => Promise<Record<string, unknown>>;
beforeEach(() => {
  const deps = iamDeps(storage().documents);
  ({ clock } = deps);
  const { operations } = createIamService(deps);
  ask = async (operation, input) => (await operations[operation]?.(input as never, call)) as never;
});

const statement = { Effect: "Allow", Action: "s3:GetObject", Resource: "*" };
const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" }],
});

/** An identity policy of so many characters. */
function policyOf(size: number): string {
  const text = (Sid: string) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Sid, ...statement }] });
  return text("x".repeat(size - text("").length));
}

/** A certificate of its own, with its key. */
function certificate() {
  const issuer = { commonName: "example.com", ...generateKeyPairSync("ec", { namedCurve: "P-256" }) };
  const from = Date.UTC(2026, 0, 1);
  const serial = Buffer.from([1]);
  return {
    CertificateBody: makeCertificate({ ...issuer, issuer, use: "signing", names: [], serial, from, days: 1 }),
    PrivateKey: issuer.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

const metadata = `<EntityDescriptor entityID="x"><IDPSSODescriptor><KeyDescriptor><KeyInfo><X509Data>
<X509Certificate>${certificate().CertificateBody.replaceAll(/-----.*-----/g, "")}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
<SingleSignOnService Location="https://x.example"/></IDPSSODescriptor></EntityDescriptor>`;

/** Kind, quota, its value, and how one is made. The values are those of "IAM and AWS STS quotas", IAM user guide. */
const OF_ACCOUNTS = [
  ["user", "UsersPerAccount", 5000, "CreateUser", (UserName: string) => ({ UserName })],
  ["group", "GroupsPerAccount", 300, "CreateGroup", (GroupName: string) => ({ GroupName })],
  [
    "role",
    "RolesPerAccount",
    1000,
    "CreateRole",
    (RoleName: string) => ({ RoleName, AssumeRolePolicyDocument: TRUST }),
  ],
  [
    "policy",
    "PoliciesPerAccount",
    1500,
    "CreatePolicy",
    (PolicyName: string) => ({ PolicyName, PolicyDocument: policyOf(200) }),
  ],
  [
    "instance-profile",
    "InstanceProfilesPerAccount",
    1000,
    "CreateInstanceProfile",
    (InstanceProfileName: string) => ({ InstanceProfileName }),
  ],
  [
    "server-certificate",
    "ServerCertificatesPerAccount",
    20,
    "UploadServerCertificate",
    (ServerCertificateName: string) => ({ ServerCertificateName, ...certificate() }),
  ],
  [
    "oidc-provider",
    "OpenIdConnectProvidersPerAccount",
    100,
    "CreateOpenIDConnectProvider",
    (name: string) => ({ Url: `https://${name}.example` }),
  ],
  [
    "saml-provider",
    "SAMLProvidersPerAccount",
    100,
    "CreateSAMLProvider",
    (Name: string) => ({ Name, SAMLMetadataDocument: metadata }),
  ],
  [
    "mfa-device",
    "VirtualMFADevicesPerAccount",
    5000,
    "CreateVirtualMFADevice",
    (VirtualMFADeviceName: string) => ({ VirtualMFADeviceName }),
  ],
] as const;

it.each(OF_ACCOUNTS)(
  "an account's quota of the kind %s is held: %s",
  async (kind, name, value, make, input) => {
    const others = Array.from({ length: value - 1 }, (_, n) => ({
      key: [call.account, "aws-global", kind, `other-${n}`] as const,
      value: {},
    }));
    await storage().documents.commit(others);
    // Another account's do not count.
    await storage().documents.commit([{ key: ["222222222222", "aws-global", kind, "other"], value: {} }]);
    await ask(make, input("last"));
    await expect(ask(make, input("more"))).rejects.toMatchObject({
      code: "LimitExceeded",
      status: 409,
      message: `Cannot exceed quota for ${name}: ${value}`,
    });
    // That it is there already is told first.
    await expect(ask(make, input("last"))).rejects.toMatchObject({ code: "EntityAlreadyExists" });
    await storage().documents.commit([{ key: [call.account, "aws-global", kind, "other-0"], delete: true }]);
    await ask(make, input("more"));
  },
);

it("service-linked roles may be made beyond the quota of roles", async () => {
  const roles = Array.from({ length: 1000 }, (_, n) => ({
    key: [call.account, "aws-global", "role", `other-${n}`] as const,
    value: {},
  }));
  await storage().documents.commit(roles);
  expect(await ask("CreateServiceLinkedRole", { AWSServiceName: "lambda.amazonaws.com" })).toHaveProperty(
    "Role",
  );
});

const tags = (n: number) => Array.from({ length: n }, (_, at) => ({ Key: `k${at}`, Value: "v" }));
const managed = (n: number) => `${ROOT}:policy/p${n}`;

/** What is needed before, how many are allowed, how the nth is made, and what is told of one more. */
const OF_HOLDERS: readonly (readonly [
  what: string,
  most: number,
  make: (n: number) => Promise<unknown>,
  message: string,
])[] = [
  [
    "access keys",
    2,
    () => ask("CreateAccessKey", { UserName: "u" }),
    "Cannot exceed quota for AccessKeysPerUser: 2",
  ],
  [
    "signing certificates",
    2,
    () => ask("UploadSigningCertificate", { UserName: "u", CertificateBody: certificate().CertificateBody }),
    "Cannot exceed quota for SigningCertificatesPerUser: 2",
  ],
  [
    "credentials for one service",
    2,
    () => ask("CreateServiceSpecificCredential", { UserName: "u", ServiceName: "codecommit.amazonaws.com" }),
    "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2",
  ],
  ["MFA devices", 8, enableDevice, "Cannot exceed quota for MFADevicesPerUser: 8"],
  [
    "groups of a user",
    10,
    async (n) => {
      await ask("CreateGroup", { GroupName: `g${n}` });
      await ask("AddUserToGroup", { GroupName: `g${n}`, UserName: "u" });
    },
    "Cannot exceed quota for GroupsPerUser: 10",
  ],
  ...(["User", "Group", "Role"] as const).map(
    (kind) =>
      [
        `policies of a ${kind.toLowerCase()}`,
        10,
        async (n: number) => {
          await ask("CreatePolicy", { PolicyName: `p${n}`, PolicyDocument: policyOf(200) });
          await ask(`Attach${kind}Policy`, {
            [`${kind}Name`]: kind[0]?.toLowerCase(),
            PolicyArn: managed(n),
          });
        },
        `Cannot exceed quota for PoliciesPer${kind}: 10`,
      ] as const,
  ),
  [
    "versions of a policy",
    4,
    async (n) => {
      if (n === 0) await ask("CreatePolicy", { PolicyName: "p0", PolicyDocument: policyOf(200) });
      await ask("CreatePolicyVersion", { PolicyArn: managed(0), PolicyDocument: policyOf(200) });
    },
    "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
  ],
  [
    "client ids of a provider",
    100,
    async (n) => {
      const OpenIDConnectProviderArn = `${ROOT}:oidc-provider/x.example`;
      if (n === 0)
        await ask("CreateOpenIDConnectProvider", { Url: "https://x.example", ClientIDList: ["c0"] });
      await ask("AddClientIDToOpenIDConnectProvider", { OpenIDConnectProviderArn, ClientID: `c${n}` });
    },
    "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100",
  ],
  [
    "tags",
    1,
    (n) => ask("TagUser", { UserName: "u", Tags: tags(50 + n) }),
    "Cannot exceed quota for TagsPerResource: 50",
  ],
  ...(
    [
      ["User", 2048],
      ["Group", 5120],
      ["Role", 10_240],
    ] as const
  ).map(
    ([kind, size]) =>
      [
        `characters of a ${kind.toLowerCase()}'s own policies`,
        1,
        (n: number) =>
          ask(`Put${kind}Policy`, {
            [`${kind}Name`]: kind[0]?.toLowerCase(),
            PolicyName: "p",
            PolicyDocument: policyOf(size + n),
          }),
        `Maximum policy size of ${size} bytes exceeded for ${kind.toLowerCase()} ${kind[0]?.toLowerCase()}`,
      ] as const,
  ),
  [
    "characters of a managed policy",
    1,
    (n) => ask("CreatePolicy", { PolicyName: `p${n}`, PolicyDocument: policyOf(6144 + n) }),
    "Cannot exceed quota for PolicySize: 6144",
  ],
  [
    "characters of a role's trust policy",
    1,
    (n) =>
      ask("CreateRole", {
        RoleName: `r${n}`,
        AssumeRolePolicyDocument: TRUST.replace(
          '"Effect"',
          `"Sid":"${"x".repeat(2048 + n - TRUST.length - 9)}","Effect"`,
        ),
      }),
    "Cannot exceed quota for ACLSizePerRole: 2048",
  ],
];

async function enableDevice(n: number): Promise<void> {
  const { VirtualMFADevice } = await ask("CreateVirtualMFADevice", { VirtualMFADeviceName: `d${n}` });
  const { SerialNumber, Base32StringSeed } = VirtualMFADevice as Record<string, Buffer>;
  const seed = fromBase32(String(Base32StringSeed));
  await ask("EnableMFADevice", {
    UserName: "u",
    SerialNumber,
    AuthenticationCode1: codeOf(seed, stepAt(clock.now())),
    AuthenticationCode2: codeOf(seed, stepAt(clock.now()) + 1),
  });
}

describe("what one user, group, role, policy or provider has", () => {
  beforeEach(async () => {
    await ask("CreateUser", { UserName: "u" });
    await ask("CreateGroup", { GroupName: "g" });
    await ask("CreateRole", { RoleName: "r", AssumeRolePolicyDocument: TRUST });
  });

  it.each(OF_HOLDERS)("is held to its quota of %s: %i", async (_what, most, make, message) => {
    for (let n = 0; n < most; n++) await make(n);
    await expect(make(most)).rejects.toMatchObject({ code: "LimitExceeded", status: 409, message });
  });
});
