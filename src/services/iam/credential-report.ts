import type { IamDeps } from "./deps.ts";
import type { KeyUse } from "./last-used.ts";
import {
  keys,
  REGION,
  userArn,
  valuesUnder,
  type AccessKeyDocument,
  type SigningCertificateDocument,
  type UserDocument,
} from "./store.ts";

const NONE = "N/A";

/** The columns of AWS's report, in their order (IAM user guide, "Generate credential reports"). */
const COLUMNS = [
  "user",
  "arn",
  "user_creation_time",
  "password_enabled",
  "password_last_used",
  "password_last_changed",
  "password_next_rotation",
  "mfa_active",
  "access_key_1_active",
  "access_key_1_last_rotated",
  "access_key_1_last_used_date",
  "access_key_1_last_used_region",
  "access_key_1_last_used_service",
  "access_key_2_active",
  "access_key_2_last_rotated",
  "access_key_2_last_used_date",
  "access_key_2_last_used_region",
  "access_key_2_last_used_service",
  "cert_1_active",
  "cert_1_last_rotated",
  "cert_2_active",
  "cert_2_last_rotated",
] as const;

type Row = Readonly<Partial<Record<(typeof COLUMNS)[number], string>>>;

type Deps = Pick<IamDeps, "documents" | "lastUsed">;

/** The CSV of an account's users and their credentials. What nobody keeps track of here is `N/A`. */
export function credentialReport(deps: Deps, account: string): string {
  const users = valuesUnder<UserDocument>(deps.documents, keys.users(account));
  const rows = Array.from(users, (user) => rowOf(deps, account, user));
  return [COLUMNS.join(","), ...[rootRow(account), ...rows].map(lineOf)].join("\n");
}

function lineOf(row: Row): string {
  // Names of users hold no quotes; of what CSV gives a meaning, only the comma.
  return COLUMNS.map((column) => row[column] ?? NONE)
    .map((value) => (value.includes(",") ? `"${value}"` : value))
    .join(",");
}

function rootRow(account: string): Row {
  return {
    user: "<root_account>",
    arn: `arn:aws:iam::${account}:root`,
    password_enabled: "not_supported",
    password_last_changed: "not_supported",
    password_next_rotation: "not_supported",
    ...ABSENT,
  };
}

const ABSENT: Row = {
  mfa_active: "false",
  access_key_1_active: "false",
  access_key_2_active: "false",
  cert_1_active: "false",
  cert_2_active: "false",
};

function rowOf({ documents, lastUsed }: Deps, account: string, user: UserDocument): Row {
  const under = (kind: string) => [account, REGION, kind, user.name.toLowerCase()] as const;
  const password = [...documents.list(under("login-profile"))].length > 0;
  const devices = [...documents.list(under("user-mfa"))].length;
  const accessKeys = Array.from(documents.list(keys.userKeys(account, user.name)), ({ key }) =>
    documents.get<AccessKeyDocument>(keys.accessKey(account, String(key.at(-1)))),
  ).flatMap((found) => (found === undefined ? [] : [found.value]));
  const certificates = Array.from(
    valuesUnder<SigningCertificateDocument>(documents, under("user-signing-certificate")),
  ).toSorted((a, b) => a.uploaded - b.uploaded);
  const [first, second] = accessKeys.toSorted((a, b) => a.created - b.created);
  return {
    user: user.name,
    arn: userArn(account, user),
    user_creation_time: timeOf(user.created),
    password_enabled: String(password),
    ...(password ? { password_last_used: "no_information" } : {}),
    ...ABSENT,
    mfa_active: String(devices > 0),
    ...certificateCells(certificates),
    ...keyCells(1, first, first && lastUsed.key(account, first.id)),
    ...keyCells(2, second, second && lastUsed.key(account, second.id)),
  };
}

function keyCells(number: 1 | 2, key: AccessKeyDocument | undefined, use: KeyUse | undefined): Row {
  if (key === undefined) return {};
  return {
    [`access_key_${number}_active`]: String(key.active),
    [`access_key_${number}_last_rotated`]: timeOf(key.created),
    ...(use === undefined
      ? {}
      : {
          [`access_key_${number}_last_used_date`]: timeOf(use.time),
          [`access_key_${number}_last_used_region`]: use.region,
          [`access_key_${number}_last_used_service`]: use.service,
        }),
  };
}

function certificateCells(certificates: readonly SigningCertificateDocument[]): Row {
  return Object.fromEntries(
    certificates.flatMap(({ active, uploaded }, index) => [
      [`cert_${index + 1}_active`, String(active)],
      [`cert_${index + 1}_last_rotated`, timeOf(uploaded)],
    ]),
  );
}

function timeOf(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}+00:00`;
}
