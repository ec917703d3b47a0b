import { AwsError } from "#core/errors";
import type { ProtocolName } from "../schema/model.ts";
import { formatBasicDate } from "./dates.ts";
import type { Failure, FailureKind } from "./failures.ts";
import { s3Answer } from "./s3-errors.ts";

/**
 * Services word their authentication failures in five ways: S3 has its own vocabulary; query services leave off
 * `Exception` and EC2 says `AuthFailure`; services with X-Amz-Target answer 400 where REST services answer 403.
 */
export type Family = "rest-json" | "target-json" | "query" | "ec2" | "s3";

/** A protocol's family; a service that speaks several is told by the one it was called in. */
export const familyOfProtocol: Readonly<Record<ProtocolName, Family>> = {
  "rest-json": "rest-json",
  "rest-xml": "s3",
  "aws-json-1.0": "target-json",
  "aws-json-1.1": "target-json",
  "rpcv2-cbor": "target-json",
  query: "query",
  "ec2-query": "ec2",
};

type Category = "missing" | "incomplete" | "unknown" | "expired-token" | "mismatch" | "expired" | "too-large";

/** Evidence: each service's "Common Errors" page, and what SDK users quote from responses. */
const codes: Readonly<
  Record<Category, Readonly<Record<Exclude<Family, "s3">, readonly [code: string, status: number]>>>
> = {
  missing: {
    "rest-json": ["MissingAuthenticationTokenException", 403],
    "target-json": ["MissingAuthenticationTokenException", 400],
    query: ["MissingAuthenticationToken", 403],
    ec2: ["MissingAuthenticationToken", 403],
  },
  incomplete: {
    "rest-json": ["IncompleteSignatureException", 403],
    "target-json": ["IncompleteSignatureException", 400],
    query: ["IncompleteSignature", 400],
    ec2: ["IncompleteSignature", 400],
  },
  unknown: {
    "rest-json": ["UnrecognizedClientException", 403],
    "target-json": ["UnrecognizedClientException", 400],
    query: ["InvalidClientTokenId", 403],
    ec2: ["AuthFailure", 401],
  },
  "expired-token": {
    "rest-json": ["ExpiredTokenException", 403],
    "target-json": ["ExpiredTokenException", 400],
    query: ["ExpiredToken", 403],
    ec2: ["RequestExpired", 400],
  },
  mismatch: {
    "rest-json": ["InvalidSignatureException", 403],
    "target-json": ["InvalidSignatureException", 400],
    query: ["SignatureDoesNotMatch", 403],
    ec2: ["AuthFailure", 401],
  },
  expired: {
    "rest-json": ["InvalidSignatureException", 403],
    "target-json": ["InvalidSignatureException", 400],
    query: ["RequestExpired", 400],
    ec2: ["RequestExpired", 400],
  },
  "too-large": {
    "rest-json": ["RequestTooLargeException", 413],
    "target-json": ["RequestTooLargeException", 413],
    query: ["RequestEntityTooLarge", 413],
    ec2: ["RequestEntityTooLarge", 413],
  },
};

const categories: Readonly<Record<FailureKind, Category>> = {
  "missing-token": "missing",
  "two-mechanisms": "incomplete",
  "unsupported-authorization": "incomplete",
  incomplete: "incomplete",
  "malformed-credential": "incomplete",
  "wrong-terminator": "mismatch",
  "malformed-region": "mismatch",
  "malformed-date": "incomplete",
  "scope-date": "mismatch",
  "host-not-signed": "mismatch",
  "headers-not-signed": "mismatch",
  "unknown-key": "unknown",
  "invalid-token": "unknown",
  "expired-token": "expired-token",
  mismatch: "mismatch",
  "signed-too-early": "mismatch",
  "signed-too-late": "mismatch",
  "presign-incomplete": "incomplete",
  "presign-lifetime": "incomplete",
  "presign-expired": "expired",
  "content-hash-missing": "incomplete",
  "content-hash-malformed": "mismatch",
  "content-hash-mismatch": "mismatch",
  "decoded-length-missing": "incomplete",
  "payload-incomplete": "incomplete",
  "chunk-malformed": "incomplete",
  "trailer-malformed": "incomplete",
  "payload-too-large": "too-large",
};

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key " +
  "and signing method. Consult the service documentation for details.";

function message(failure: Failure): string {
  switch (failure.kind) {
    case "missing-token":
      return "Request is missing Authentication Token";
    case "two-mechanisms":
      return "Only one of the Authorization header and the X-Amz-Algorithm query parameter may be given.";
    case "unsupported-authorization":
      return `Unsupported AWS 'algorithm': '${failure.scheme}'.`;
    case "incomplete":
      return `${failure.problems.join(" ")} Authorization=${withoutSignature(failure.authorization)}`;
    case "malformed-credential":
      return `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${failure.credential}'`;
    case "wrong-terminator":
      return `Credential should be scoped with a valid terminator: 'aws4_request', not '${failure.terminator}'.`;
    case "malformed-region":
      return `Credential should be scoped to a valid region, not '${failure.region}'.`;
    case "malformed-date":
      return `Date must be in ISO-8601 'basic format'. Got '${failure.date}'. See http://en.wikipedia.org/wiki/ISO_8601`;
    case "scope-date":
      return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${failure.scopeDate}' != '${failure.date.slice(0, 8)}', from '${failure.date}'.`;
    case "host-not-signed":
      return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
    case "unknown-key":
    case "invalid-token":
      return "The security token included in the request is invalid.";
    case "expired-token":
      return "The security token included in the request is expired";
    case "signed-too-late":
      return `Signature expired: ${formatBasicDate(failure.signed)} is now earlier than ${formatBasicDate(failure.now - failure.skewMs)} (${formatBasicDate(failure.now)} - ${failure.skewMs / 60_000} min.)`;
    case "signed-too-early":
      return `Signature not yet current: ${formatBasicDate(failure.signed)} is still later than ${formatBasicDate(failure.now + failure.skewMs)} (${formatBasicDate(failure.now)} + ${failure.skewMs / 60_000} min.)`;
    case "presign-incomplete":
      return failure.missing
        .map((name) => `AWS query-string parameters must include '${name}'.`)
        .concat("Re-examine the query-string parameters.")
        .join(" ");
    case "presign-lifetime":
      return "X-Amz-Expires must be a number of seconds from 0 to 604800.";
    case "presign-expired":
      return `Signature expired: ${formatBasicDate(failure.expired)} is now earlier than ${formatBasicDate(failure.now)}`;
    case "payload-too-large":
      return `Request must be smaller than ${failure.limit} bytes`;
    // The rest is S3's alone to tell apart: for other services they are signatures that do not match.
    default:
      return MISMATCH;
  }
}

/** A signature is as good as a password until it expires, and error messages end up in logs. */
function withoutSignature(authorization: string): string {
  return authorization.replace(/(Signature=)[^,\s]+/, "$1…");
}

/** What EC2 says about every key that it does not accept ("Error codes for the Amazon EC2 API"). */
const EC2_AUTH_FAILURE = "AWS was not able to validate the provided access credentials";

/** The error that a service of `family` answers. */
export function toAwsError(failure: Failure, family: Family): AwsError {
  if (family === "s3") {
    const [code, status, text, members] = s3Answer(failure);
    return new AwsError(code, text, { status, members: members ?? {} });
  }
  const [code, status] = codes[categories[failure.kind]][family];
  return new AwsError(code, wording(failure, family, code), { status });
}

function wording(failure: Failure, family: Family, code: string): string {
  if (code === "AuthFailure") return EC2_AUTH_FAILURE;
  if (code === "RequestExpired") return "Request has expired.";
  if (failure.kind === "missing-token" && family === "rest-json") return "Missing Authentication Token";
  return message(failure);
}

/** How long before and after now a request may have been signed; S3, STS and IAM allow 15 minutes. */
export function allowedSkewMs(family: Family, skewMs: number): number {
  return family === "s3" || family === "query" ? 3 * skewMs : skewMs;
}
