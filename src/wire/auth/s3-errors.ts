import { formatExtendedDate } from "./dates.ts";
import type { Failure } from "./failures.ts";

export type S3Answer = readonly [
  code: string,
  status: number,
  message: string,
  members?: Readonly<Record<string, unknown>>,
];

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your key and signing method.";

const PRESIGN_INCOMPLETE =
  "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, " +
  "X-Amz-SignedHeaders, and X-Amz-Expires parameters.";

const LIFETIMES = {
  "not-a-number": "X-Amz-Expires should be a number",
  negative: "X-Amz-Expires must be non-negative",
  "too-long":
    "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
} as const;

/** S3's own words ("Error responses" in the Amazon S3 API Reference, and recorded responses). */
export function s3Answer(failure: Failure): S3Answer {
  switch (failure.kind) {
    case "missing-token":
      return ["AccessDenied", 403, "Access Denied"];
    case "two-mechanisms":
      return [
        "InvalidArgument",
        400,
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
      ];
    case "unsupported-authorization":
      return failure.scheme === "AWS"
        ? [
            "InvalidRequest",
            400,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
          ]
        : ["InvalidArgument", 400, "Unsupported Authorization Type"];
    case "incomplete":
      return malformed(failure.problems.join(" "));
    case "malformed-credential":
      return malformed(
        'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      );
    case "wrong-terminator":
      return malformed(`incorrect terminal "${failure.terminator}". This endpoint uses "aws4_request".`);
    case "malformed-region":
      return malformed(`the region '${failure.region}' is wrong; expecting 'us-east-1'`);
    case "scope-date":
      return malformed(
        `Invalid credential date "${failure.scopeDate}". This date is not the same as X-Amz-Date: "${failure.date.slice(0, 8)}".`,
      );
    case "malformed-date":
      return ["AccessDenied", 403, "AWS authentication requires a valid Date or x-amz-date header"];
    case "host-not-signed":
      return notSigned(["host"]);
    case "headers-not-signed":
      return notSigned(failure.names);
    case "unknown-key":
      return [
        "InvalidAccessKeyId",
        403,
        "The AWS Access Key Id you provided does not exist in our records.",
        { AWSAccessKeyId: failure.accessKeyId },
      ];
    case "invalid-token":
      return ["InvalidToken", 400, "The provided token is malformed or otherwise invalid."];
    case "expired-token":
      return ["ExpiredToken", 400, "The provided token has expired."];
    case "mismatch":
      return ["SignatureDoesNotMatch", 403, MISMATCH, mismatchMembers(failure)];
    case "signed-too-early":
    case "signed-too-late":
      return [
        "RequestTimeTooSkewed",
        403,
        "The difference between the request time and the current time is too large.",
        {
          RequestTime: formatExtendedDate(failure.signed),
          ServerTime: formatExtendedDate(failure.now),
          MaxAllowedSkewMilliseconds: String(failure.skewMs),
        },
      ];
    case "presign-incomplete":
      return ["AuthorizationQueryParametersError", 400, PRESIGN_INCOMPLETE];
    case "presign-lifetime":
      return ["AuthorizationQueryParametersError", 400, LIFETIMES[failure.problem]];
    case "presign-expired":
      return [
        "AccessDenied",
        403,
        "Request has expired",
        {
          "X-Amz-Expires": String(failure.lifetimeSeconds),
          Expires: formatExtendedDate(failure.expired),
          ServerTime: formatExtendedDate(failure.now),
        },
      ];
    case "content-hash-missing":
      return ["InvalidRequest", 400, "Missing required header for this request: x-amz-content-sha256"];
    case "content-hash-malformed":
      return [
        "InvalidArgument",
        400,
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
        { ArgumentName: "x-amz-content-sha256", ArgumentValue: failure.claimed },
      ];
    case "content-hash-mismatch":
      return [
        "XAmzContentSHA256Mismatch",
        400,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        {
          ClientComputedContentSHA256: failure.claimed,
          S3ComputedContentSHA256: failure.computed,
        },
      ];
    case "decoded-length-missing":
      return ["MissingContentLength", 411, "You must provide the Content-Length HTTP header."];
    case "payload-incomplete":
      return [
        "IncompleteBody",
        400,
        "You did not provide the number of bytes specified by the Content-Length HTTP header.",
      ];
    case "chunk-malformed":
      return ["InvalidRequest", 400, "The aws-chunked payload is malformed."];
    case "trailer-malformed":
      return [
        "MalformedTrailerError",
        400,
        "The request contained trailing data that was not well-formed or did not conform to our published schema.",
      ];
    // "payload-too-large" is the one kind that is left.
    default:
      return ["EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size"];
  }
}

function malformed(detail: string): S3Answer {
  return ["AuthorizationHeaderMalformed", 400, `The authorization header is malformed; ${detail}`];
}

function notSigned(names: readonly string[]): S3Answer {
  return [
    "AccessDenied",
    403,
    "There were headers present in the request which were not signed",
    { HeadersNotSigned: names.join(", ") },
  ];
}

/** What S3 calculated, so that the author of a signer can find the difference. It holds nothing secret. */
function mismatchMembers(failure: Extract<Failure, { kind: "mismatch" }>): Record<string, string> {
  const { accessKeyId, signature, stringToSign, canonicalRequest } = failure;
  const members: Record<string, string> = {
    AWSAccessKeyId: accessKeyId,
    StringToSign: stringToSign,
    SignatureProvided: signature,
    StringToSignBytes: hexBytes(stringToSign),
  };
  if (canonicalRequest === undefined) return members;
  return {
    ...members,
    CanonicalRequest: canonicalRequest,
    CanonicalRequestBytes: hexBytes(canonicalRequest),
  };
}

function hexBytes(text: string): string {
  return Buffer.from(text)
    .toString("hex")
    .replaceAll(/(..)(?=.)/g, "$1 ");
}
