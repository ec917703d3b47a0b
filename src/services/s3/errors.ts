import { AwsError } from "#core/errors";

type Members = Readonly<Record<string, unknown>>;

function error(code: string, status: number, message: string, members: Members = {}): AwsError {
  return new AwsError(code, message, { status, members });
}

function invalidRequest(message: string): AwsError {
  return error("InvalidRequest", 400, message);
}

function invalidArgument(message: string, name: string, value?: string): AwsError {
  const members = value === undefined ? { ArgumentName: name } : { ArgumentName: name, ArgumentValue: value };
  return error("InvalidArgument", 400, message, members);
}

function notImplementedHeader(header: string, detail?: string): AwsError {
  return error(
    "NotImplemented",
    501,
    "A header you provided implies functionality that is not implemented",
    detail === undefined ? { Header: header } : { Header: header, additionalMessage: detail },
  );
}

/** Every error that S3's handlers answer, in S3's words as recorded, or as its API reference lists them. */
export const s3Errors = {
  invalidRequest,
  invalidArgument,
  notImplementedHeader,
  accessDenied: () => error("AccessDenied", 403, "Access Denied"),
  malformedXml: () =>
    error(
      "MalformedXML",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    ),
  malformedAcl: () =>
    error(
      "MalformedACLError",
      400,
      "The XML you provided was not well-formed or did not validate against our published schema",
    ),
  malformedPolicy: (message: string) => error("MalformedPolicy", 400, message),
  notBuilt: (what: string) => error("NotImplemented", 501, `${what} is not implemented here.`),

  noSuchBucket: (bucket: string) =>
    error("NoSuchBucket", 404, "The specified bucket does not exist", { BucketName: bucket }),
  invalidBucketName: (bucket: string) =>
    error("InvalidBucketName", 400, "The specified bucket is not valid.", { BucketName: bucket }),
  bucketTaken: (bucket: string) =>
    error(
      "BucketAlreadyExists",
      409,
      "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
      { BucketName: bucket },
    ),
  bucketOwned: (bucket: string) =>
    error(
      "BucketAlreadyOwnedByYou",
      409,
      "Your previous request to create the named bucket succeeded and you already own it.",
      { BucketName: bucket },
    ),
  bucketNotEmpty: (bucket: string, versioned: boolean) =>
    error(
      "BucketNotEmpty",
      409,
      `The bucket you tried to delete is not empty${versioned ? ". You must delete all versions in the bucket." : ""}`,
      { BucketName: bucket },
    ),
  tooManyConfigurations: () =>
    error(
      "TooManyConfigurations",
      400,
      "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.",
    ),
  tooManyBuckets: () =>
    error("TooManyBuckets", 400, "You have attempted to create more buckets than allowed"),
  illegalLocation: (constraint: string) =>
    error(
      "IllegalLocationConstraintException",
      400,
      `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    ),
  invalidLocation: (constraint: string) =>
    error("InvalidLocationConstraint", 400, "The specified location-constraint is not valid", {
      LocationConstraint: constraint,
    }),
  /** S3 tells the region that the request should have been signed for; clients sign again for it. */
  wrongRegion: (signed: string, region: string) =>
    new AwsError(
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${signed}' is wrong; expecting '${region}'`,
      { status: 400, members: { Region: region }, headers: { "x-amz-bucket-region": region } },
    ),
  invalidOwnerId: (id: string) =>
    error(
      "InvalidBucketOwnerAWSAccountID",
      400,
      `The value of the expected bucket owner parameter must be an AWS Account ID... [${id}]`,
    ),

  noSuchKey: (key: string) => error("NoSuchKey", 404, "The specified key does not exist.", { Key: key }),
  noSuchVersion: (key: string, versionId: string) =>
    error("NoSuchVersion", 404, "The specified version does not exist.", { Key: key, VersionId: versionId }),
  invalidVersionId: (versionId: string) =>
    invalidArgument("Invalid version id specified", "versionId", versionId),
  keyTooLong: (size: number) =>
    error("KeyTooLongError", 400, "Your key is too long", { Size: String(size), MaxSizeAllowed: "1024" }),
  isDeleteMarker: (method: string, headers: Readonly<Record<string, string>>) =>
    new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      status: 405,
      members: { Method: method, ResourceType: "DeleteMarker" },
      headers,
    }),
  uploadNotPut: () =>
    new AwsError("MethodNotAllowed", "The specified method is not allowed against this resource.", {
      status: 405,
      members: { Method: "PUT", ResourceType: "UPLOAD" },
      headers: { allow: "DELETE, POST, GET" },
    }),
  deletedKey: (key: string, headers: Readonly<Record<string, string>>) =>
    new AwsError("NoSuchKey", "The specified key does not exist.", {
      status: 404,
      members: { Key: key },
      headers,
    }),
  copyOfDeleteMarker: () =>
    invalidRequest(
      "The source of a copy request may not specifically refer to a delete marker by version id.",
    ),
  copyOntoItself: () =>
    invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    ),
  copySourceTooLarge: () =>
    invalidRequest(
      "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
    ),
  archived: (storageClass: string) =>
    error("InvalidObjectState", 403, "The operation is not valid for the object's storage class", {
      StorageClass: storageClass,
    }),

  preconditionFailed: (condition: string) =>
    error("PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold", {
      Condition: condition,
    }),
  notModified: (headers: Readonly<Record<string, string>>) =>
    new AwsError("NotModified", "Not Modified", { status: 304, headers }),
  conditionalConflict: (condition: string, key: string) =>
    error(
      "ConditionalRequestConflict",
      409,
      "The conditional request cannot succeed due to a conflicting operation against this resource.",
      { Condition: condition, Key: key },
    ),
  invalidRange: (requested: string, size: number) =>
    error("InvalidRange", 416, "The requested range is not satisfiable", {
      ActualObjectSize: String(size),
      RangeRequested: requested,
    }),
  invalidPartNumber: (requested: number, count: number) =>
    error("InvalidPartNumber", 416, "The requested partnumber is not satisfiable", {
      ActualPartCount: String(count),
      PartNumberRequested: String(requested),
    }),

  missingLength: () => error("MissingContentLength", 411, "You must provide the Content-Length HTTP header."),
  tooLarge: (proposed: number | undefined, most: number) =>
    error("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size", {
      ...(proposed === undefined ? {} : { ProposedSize: String(proposed) }),
      MaxSizeAllowed: String(most),
    }),
  incompleteBody: (cause?: unknown) =>
    new AwsError(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length HTTP header",
      { cause },
    ),
  metadataTooLarge: (size: number) =>
    error("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size", {
      Size: String(size),
      MaxSizeAllowed: "2048",
    }),
  invalidMd5: (given: string) =>
    error("InvalidDigest", 400, "The Content-MD5 you specified was invalid.", { "Content-MD5": given }),
  wrongMd5: (expected: string, calculated: string) =>
    error("BadDigest", 400, "The Content-MD5 you specified did not match what we received.", {
      ExpectedDigest: expected,
      CalculatedDigest: calculated,
    }),
  wrongChecksum: (algorithm: string) =>
    error("BadDigest", 400, `The ${algorithm} you specified did not match the calculated checksum.`),
  invalidChecksum: (header: string) => invalidRequest(`Value for ${header} header is invalid.`),
  twoChecksums: () =>
    invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."),
  invalidStorageClass: () =>
    error("InvalidStorageClass", 400, "The storage class you specified is not valid"),

  noSuchUpload: (uploadId: string) =>
    error(
      "NoSuchUpload",
      404,
      "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
      { UploadId: uploadId },
    ),
  invalidPart: (uploadId: string, partNumber: number, etag: string) =>
    error(
      "InvalidPart",
      400,
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      { UploadId: uploadId, PartNumber: String(partNumber), ETag: etag },
    ),
  invalidPartOrder: (uploadId: string) =>
    error(
      "InvalidPartOrder",
      400,
      "The list of parts was not in ascending order. Parts must be ordered by part number.",
      { UploadId: uploadId },
    ),
  partTooSmall: (proposed: number, partNumber: number, etag: string) =>
    error("EntityTooSmall", 400, "Your proposed upload is smaller than the minimum allowed size", {
      ProposedSize: String(proposed),
      MinSizeAllowed: "5242880",
      PartNumber: String(partNumber),
      ETag: etag,
    }),

  illegalVersioning: () =>
    error("IllegalVersioningConfigurationException", 400, "The Versioning element must be specified"),
  noConfiguration: (code: string, message: string, bucket: string) =>
    error(code, 404, message, { BucketName: bucket }),
  overlappingNotifications: () =>
    error(
      "InvalidArgument",
      400,
      "Configurations overlap. Configurations on the same bucket cannot share a common event type.",
    ),
  /** Each destination that S3 could not reach, with why (recorded). */
  invalidDestinations: (problems: readonly { readonly arn: string; readonly reason: string }[]) =>
    error(
      "InvalidArgument",
      400,
      "Unable to validate the following destination configurations",
      Object.fromEntries(
        problems.flatMap(({ arn, reason }, index) => [
          [`ArgumentName${index + 1}`, arn],
          [`ArgumentValue${index + 1}`, reason],
        ]),
      ),
    ),
  noSuchConfiguration: () => error("NoSuchConfiguration", 404, "The specified configuration does not exist."),
  invalidTag: (message: string, members: Members = {}) => error("InvalidTag", 400, message, members),
  badTagCount: (most: number) => error("BadRequest", 400, `Object tags cannot be greater than ${most}`),
  aclsDisabled: () => error("AccessControlListNotSupported", 400, "The bucket does not allow ACLs"),
  aclsWithEnforcement: () =>
    error(
      "InvalidBucketAclWithObjectOwnership",
      400,
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    ),
  missingHeader: (name: string) =>
    error("MissingSecurityHeader", 400, "Your request was missing a required header", {
      MissingHeaderName: name,
    }),
  unexpectedContent: () => error("UnexpectedContent", 400, "This request does not support content"),
  invalidBucketState: (message: string) => error("InvalidBucketState", 409, message),
} as const;
