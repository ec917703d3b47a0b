import type { Grant, Grantee } from "@aws-sdk/client-s3";
import { s3Errors } from "./errors.ts";
import { type BucketDocument, type Ownership, ownerId } from "./store.ts";

/** What a request says of access: by canned name or by headers of grants. */
export interface AclInput {
  readonly ACL?: string | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

const GROUPS = "http://acs.amazonaws.com/groups/";
const ALL_USERS = `${GROUPS}global/AllUsers`;
const AUTHENTICATED = `${GROUPS}global/AuthenticatedUsers`;
const LOG_DELIVERY = `${GROUPS}s3/LogDelivery`;
const KNOWN_GROUPS: ReadonlySet<string> = new Set([ALL_USERS, AUTHENTICATED, LOG_DELIVERY]);

type Permission = "FULL_CONTROL" | "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP";

const HEADERS = [
  ["GrantFullControl", "FULL_CONTROL", "x-amz-grant-full-control"],
  ["GrantRead", "READ", "x-amz-grant-read"],
  ["GrantReadACP", "READ_ACP", "x-amz-grant-read-acp"],
  ["GrantWrite", "WRITE", "x-amz-grant-write"],
  ["GrantWriteACP", "WRITE_ACP", "x-amz-grant-write-acp"],
] as const;

/** Grants of canned ACLs beside the owner's; those for objects alone are of no meaning for buckets. */
const CANNED: Readonly<Record<string, readonly (readonly [group: string, Permission])[]>> = {
  private: [],
  "public-read": [[ALL_USERS, "READ"]],
  "public-read-write": [
    [ALL_USERS, "READ"],
    [ALL_USERS, "WRITE"],
  ],
  "authenticated-read": [[AUTHENTICATED, "READ"]],
  "log-delivery-write": [
    [LOG_DELIVERY, "WRITE"],
    [LOG_DELIVERY, "READ_ACP"],
  ],
  "aws-exec-read": [],
  "bucket-owner-read": [],
  "bucket-owner-full-control": [],
};

/** The owner's full control: what everything has to which nothing else was put. */
export function defaultGrants(account: string): Grant[] {
  return [{ Grantee: { Type: "CanonicalUser", ID: ownerId(account) }, Permission: "FULL_CONTROL" }];
}

/** @returns undefined where the request says nothing. @throws AwsError InvalidArgument, InvalidRequest */
export function readAclHeaders(input: AclInput, account: string): Grant[] | undefined {
  const granted = HEADERS.flatMap(([member, permission, header]) => {
    const value = input[member];
    return value === undefined ? [] : readGrants(value, permission, header);
  });
  const { ACL: canned } = input;
  if (canned === undefined) return granted.length === 0 ? undefined : granted;
  if (granted.length > 0)
    throw s3Errors.invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed");
  const groups = CANNED[canned];
  if (groups === undefined) throw s3Errors.invalidArgument("", "x-amz-acl", canned);
  return [
    ...defaultGrants(account),
    ...groups.map(([URI, Permission]) => ({ Grantee: { Type: "Group" as const, URI }, Permission })),
  ];
}

const GRANT = /^\s*(\w+)\s*=\s*"?([^"]*)"?\s*$/;

function readGrants(text: string, permission: Permission, header: string): Grant[] {
  return text.split(",").map((entry) => {
    const [, kind = "", value = ""] = GRANT.exec(entry) ?? [];
    if (kind === "uri") {
      if (!KNOWN_GROUPS.has(value)) throw s3Errors.invalidArgument("Invalid group uri", "uri", value);
      return { Grantee: { Type: "Group", URI: value }, Permission: permission };
    }
    if (kind === "id") {
      if (!CANONICAL.test(value)) throw s3Errors.invalidArgument("Invalid id", "id", value);
      return { Grantee: { Type: "CanonicalUser", ID: value }, Permission: permission };
    }
    if (kind === "emailAddress") throw s3Errors.notBuilt("Granting by e-mail address");
    throw s3Errors.invalidArgument("Argument format not recognized", header, text);
  });
}

const CANONICAL = /^[0-9a-f]{64}$/;

/** Grants of a document. @throws AwsError MalformedACLError, InvalidArgument */
export function readGrantList(grants: readonly Grant[] | undefined): Grant[] {
  return (grants ?? []).map(({ Grantee: grantee, Permission: permission }) => {
    if (grantee === undefined || permission === undefined) throw s3Errors.malformedAcl();
    if (!HEADERS.some(([, known]) => known === permission)) throw s3Errors.malformedAcl();
    return { Grantee: readGrantee(grantee), Permission: permission };
  });
}

function readGrantee({ Type, ID, URI, EmailAddress }: Grantee): Grantee {
  if (Type === "CanonicalUser") {
    if (ID === undefined) throw s3Errors.malformedAcl();
    if (!CANONICAL.test(ID)) throw s3Errors.invalidArgument("Invalid id", "CanonicalUser/ID", ID);
    return { Type, ID };
  }
  if (Type === "Group") {
    if (URI === undefined) throw s3Errors.malformedAcl();
    if (!KNOWN_GROUPS.has(URI)) throw s3Errors.invalidArgument("Invalid group uri", "Group/URI", URI);
    return { Type, URI };
  }
  if (EmailAddress !== undefined) throw s3Errors.notBuilt("Granting by e-mail address");
  throw s3Errors.malformedAcl();
}

/** @throws AwsError InvalidBucketAclWithObjectOwnership */
export function requireNewBucketAcl(
  input: AclInput,
  ownership: Ownership,
  account: string,
): readonly Grant[] | undefined {
  const grants = readAclHeaders(input, account);
  if (grants === undefined || input.ACL === "private") return undefined;
  if (ownership === "BucketOwnerEnforced") throw s3Errors.aclsWithEnforcement();
  return grants;
}

/** The ACL that a new object asks for. @throws AwsError AccessControlListNotSupported where the bucket has none */
export function readObjectAcl(input: AclInput, bucket: BucketDocument): readonly Grant[] | undefined {
  const grants = readAclHeaders(input, bucket.account);
  if (grants === undefined || input.ACL === "bucket-owner-full-control") return undefined;
  if (bucket.settings.ownership === "BucketOwnerEnforced") throw s3Errors.aclsDisabled();
  return input.ACL === "private" ? undefined : grants;
}
