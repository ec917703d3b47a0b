import { AwsError } from "#core/errors";
import { LIMITS } from "./limits.ts";

/** Lambda adds `Type: "User"` to the errors that its own handlers answer; the front end's validation errors lack it. */
const USER = { Type: "User" } as const;

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message, { members: USER });
}

function notFound(message: string): AwsError {
  return new AwsError("ResourceNotFoundException", message, { status: 404, members: USER });
}

function conflict(message: string): AwsError {
  return new AwsError("ResourceConflictException", message, { status: 409, members: USER });
}

function unmet(message: string): AwsError {
  return new AwsError("PreconditionFailedException", message, { status: 412, members: USER });
}

/** Recorded without a type: put_function_concurrency_account_limit_exceeded. */
function overAccountLimit(message: string): AwsError {
  return new AwsError("InvalidParameterValueException", message);
}

function validation(message: string): AwsError {
  return new AwsError("ValidationException", `1 validation error detected: ${message}`);
}

/** Every error that Lambda's handlers answer. Messages are AWS's, as recorded, unless a comment says otherwise. */
export const errors = {
  functionNotFound: (arn: string) => notFound(`Function not found: ${arn}`),
  aliasNotFound: (arn: string) => notFound(`Alias not found: ${arn}`),
  cannotFindAlias: (arn: string) => notFound(`Cannot find alias arn: ${arn}`),
  resourceMissing: () => notFound("The resource you requested does not exist."),
  noEventInvokeConfig: (arn: string) => notFound(`The function ${arn} doesn't have an EventInvokeConfig`),
  otherRegion: (there: string, here: string) =>
    notFound(`Functions from '${there}' are not reachable in this region ('${here}')`),
  otherAccount: (caller: string, action: string, arn: string) =>
    new AwsError(
      "AccessDeniedException",
      `User: ${caller} is not authorized to perform: lambda:${action} on resource: ${arn} because no resource-based policy allows the lambda:${action} action`,
      { status: 403 },
    ),

  /** AWS's wording, as its users quote it: the role is not there, or its trust policy does not let Lambda assume it. */
  roleNotAssumable: () => invalid("The role defined for the function cannot be assumed by Lambda."),

  /** AWS's wording, as its users quote it; an account hands out its own roles alone. */
  foreignRole: () =>
    new AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", { status: 403 }),

  functionExists: (name: string) => conflict(`Function already exist: ${name}`),
  aliasExists: (arn: string) => conflict(`Alias already exists: ${arn}`),
  versionHasAliases: (aliases: readonly string[]) =>
    conflict(`Unable to delete version because the following aliases reference it: [${aliases.join(", ")}]`),
  updateInProgress: (arn: string) =>
    conflict(`The operation cannot be performed at this time. An update is in progress for resource: ${arn}`),
  functionInState: (state: string) =>
    conflict(
      `The operation cannot be performed at this time. The function is currently in the following state: ${state}`,
    ),
  revisionMismatch: () =>
    new AwsError(
      "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
      { status: 412, members: USER },
    ),

  /** Recorded in 2025 for AddPermission; RemovePermission's recording is older and names GetFunction. */
  policyRevisionMismatch: () =>
    unmet(
      "The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id",
    ),
  /** As its users quote it. */
  policyOnLatest: () => invalid("We currently do not support adding policies for $LATEST."),
  /** As its users quote it. */
  invalidPrincipal: () =>
    invalid("The provided principal was invalid. Please check the principal and try again."),
  /** Own wording. */
  urlAuthTypeOnOtherAction: () =>
    invalid("FunctionUrlAuthType is only supported for the lambda:InvokeFunctionUrl action."),
  /** Own wording. */
  conditionOnOtherAction: () =>
    invalid("InvokedViaFunctionUrl is only supported for the lambda:InvokeFunction action."),
  /** As its users quote it. */
  policyTooLong: (bytes: number, limit: number) =>
    new AwsError(
      "PolicyLengthExceededException",
      `The final policy size (${bytes}) is bigger than the limit (${limit}).`,
      { members: USER },
    ),
  /** Own wording. */
  malformedPolicy: (problem: string) => invalid(`The policy is not valid: ${problem}.`),

  noFunction: () => notFound("The function doesn't exist."),
  nothingToConfigure: () =>
    invalid("You must specify at least one of error handling or destination setting."),
  destinationInvalid: (arn: string) => invalid(`The destination ARN ${arn} is invalid.`),
  /** Both as their users quote them. */
  deadLetterServiceInvalid: () =>
    invalid(
      "Invalid dead letter queue ARN: The service specified by the TargetArn is not supported for dead letter configuration.",
    ),
  deadLetterQueueOrdered: () =>
    invalid("Invalid dead letter queue ARN: FIFO SQS queue is not supported for dead letter configuration"),
  destinationIsItself: () => invalid("You can't specify the function as a destination for itself."),
  destinationsInvalid: (onSuccess: string | undefined, onFailure: string | undefined) => {
    const success = onSuccess === undefined ? "null" : `OnSuccess(destination=${onSuccess})`;
    const failure = onFailure === undefined ? "null" : `OnFailure(destination=${onFailure})`;
    return invalid(
      `The provided destination config DestinationConfig(onSuccess=${success}, onFailure=${failure}) is invalid.`,
    );
  },

  /** Own wording. */
  runtimeVersionRequired: () => invalid("RuntimeVersionArn is required when UpdateRuntimeOn is Manual."),
  /** Own wording. */
  runtimeVersionNotAllowed: () =>
    invalid("RuntimeVersionArn is only allowed when UpdateRuntimeOn is Manual."),
  /** Own wording. */
  runtimeVersionUnknown: (arn: string) => invalid(`The runtime version ${arn} is not available.`),

  /** API reference, Invoke. */
  recursiveLoop: () =>
    new AwsError(
      "RecursiveInvocationException",
      "Lambda has detected your function being invoked in a recursive loop with other Amazon Web Services resources and stopped your function's invocation.",
      { members: USER },
    ),

  codeSigningConfigMissing: (arn: string) =>
    new AwsError(
      "CodeSigningConfigNotFoundException",
      `The code signing configuration cannot be found. Check that the provided configuration is not deleted: ${arn}.`,
      { status: 404, members: USER },
    ),
  codeSigningConfigNotFound: (arn: string) =>
    notFound(`The Lambda code signing configuration ${arn} can not be found.`),
  /** Own wording. */
  codeSigningConfigInUse: (arn: string) =>
    conflict(`The code signing configuration ${arn} is still attached to a function.`),
  /** As its users quote it. */
  codeUnsigned: () =>
    new AwsError(
      "CodeVerificationFailedException",
      "Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for unsigned.",
      { members: USER },
    ),
  /** Own wording: images are signed by other means in AWS. */
  codeSigningOnImage: () =>
    invalid("Code signing is not supported for functions created with container images."),

  unknownEventSource: () => invalid("Unrecognized event source."),
  mappedFunctionMissing: () => invalid("Function does not exist"),
  /** Recorded for DestinationConfig. */
  unsupportedForSource: (parameter: string) =>
    invalid(`Unsupported ${parameter} parameter for given event source mapping type.`),
  requiredForSource: (parameter: string) =>
    invalid(`Required '${parameter.slice(0, 1).toLowerCase()}${parameter.slice(1)}' parameter is missing.`),
  startingPositionMissing: () =>
    invalid(
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    ),
  unsupportedStartingPosition: (arn: string) => invalid(`Unsupported starting position for arn type: ${arn}`),
  /** Own wording. */
  startingTimeMissing: () =>
    invalid("StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP."),
  /** Own wording. */
  batchTooLarge: (limit: number) => invalid(`BatchSize must be at most ${limit} for this event source.`),
  batchWindowMissing: () =>
    invalid(
      "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
    ),
  /** Own wording. */
  recordAgeTooSmall: () => invalid("MaximumRecordAgeInSeconds must be -1, or from 60 to 604800."),
  /** Own wording. */
  scalingAndPollers: () => invalid("ScalingConfig and ProvisionedPollerConfig exclude each other."),
  /** Own wording. */
  pollersOutOfRange: (member: string, least: number, most: number) =>
    invalid(`${member} must be from ${least} to ${most} for this event source.`),
  /** Own wording. */
  pollersCrossed: () => invalid("MinimumPollers must not be greater than MaximumPollers."),
  /** Own wording. */
  tooManyFilters: (limit: number) => invalid(`An event source mapping can have up to ${limit} filters.`),
  invalidFilterPattern: () => invalid("Invalid filter pattern definition."),
  sourceQueueMissing: (message: string) =>
    invalid(
      `Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: ${message}`,
    ),
  /** As its users quote it. */
  roleMayNot: (operation: string, service: string) =>
    invalid(`The provided execution role does not have permissions to call ${operation} on ${service}`),
  /** As its users quote it. */
  roleMayNotSend: (operation: string, arn: string) =>
    invalid(`The function's execution role does not have permissions to call ${operation} on ${arn}`),
  /** As its users quote it; both are seconds. */
  queueVisibilityTooShort: (visibility: number, timeout: number) =>
    invalid(
      `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
    ),
  queueAlreadyMapped: (arn: string, name: string, uuid: string) =>
    conflict(
      `An event source mapping with SQS arn (" ${arn} ") and function (" ${name} ") already exists. Please update or delete the existing mapping with UUID ${uuid}`,
    ),
  sourceAlreadyMapped: (arn: string, name: string, uuid: string) =>
    conflict(
      `The event source arn (" ${arn} ") and function (" ${name} ") provided mapping already exists. Please update or delete the existing mapping with UUID ${uuid}`,
    ),

  noProvisionedConfig: () =>
    new AwsError(
      "ProvisionedConcurrencyConfigNotFoundException",
      "No Provisioned Concurrency Config found for this function",
      { status: 404, members: USER },
    ),
  versionAlreadyProvisioned: () =>
    conflict(
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    ),
  versionHasProvisionedAlias: () => conflict("Version is pointed by a Provisioned Concurrency alias"),
  provisionedOnUnpublished: () =>
    invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions."),
  /** As its users quote it. */
  provisionedOnWeights: () => invalid("Alias with weights can not be used with Provisioned Concurrency"),
  notAliasOrVersion: () => invalid("The function resource provided must be an alias or a published version."),
  provisionedAboveReserved: () =>
    invalid(
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
    ),
  provisionedAboveUnreserved: (unreserved: number) =>
    overAccountLimit(
      `Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [${unreserved}].`,
    ),
  provisionedBelowFloor: (floor: number) =>
    overAccountLimit(
      `Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${floor}].`,
    ),
  reservedBelowFloor: (floor: number) =>
    overAccountLimit(
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${floor}].`,
    ),
  reservedBelowProvisioned: (reserved: number, provisioned: number) =>
    overAccountLimit(
      ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`,
    ),

  qualifierMismatch: () =>
    invalid("The derived qualifier from the function name does not match the specified qualifier."),
  functionsOnly: () =>
    invalid(
      "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.",
    ),
  aliasDeletion: () => invalid("Deletion of aliases is not currently supported."),
  latestDeletion: () => invalid("$LATEST version cannot be deleted without deleting the function."),
  nameTooLong: (name: string, limit: number) =>
    invalid(
      `1 validation error detected: Value '${name}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${limit}`,
    ),
  unknownRuntime: (runtime: string, supported: readonly string[]) =>
    invalid(
      `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${supported.join(", ")}] or be a valid ARN`,
    ),
  deprecatedRuntime: (runtime: string) =>
    invalid(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    ),
  runtimeAndHandlerRequired: () =>
    invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages."),
  valueTooLarge: (member: string, limit: number) =>
    invalid(
      `'${member}' value failed to satisfy constraint: Member must have value less than or equal to ${limit}`,
    ),
  /** AWS's wording for runtimes, as its users quote it: `nodejs22.x is not supported for SnapStart enabled functions.` */
  withoutSnapStart: (what: string) => invalid(`${what} is not supported for SnapStart enabled functions.`),
  environmentTooLarge: (measured: string) =>
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${measured}`,
    ),
  reservedEnvironment: (names: readonly string[]) =>
    invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${names.join(", ")}`,
    ),
  /** Of Thaw's own: a choice that is misspelt must not leave a function with more than it was to have. */
  networkNotValid: (value: string) =>
    invalid(`The environment variable THAW_NETWORK must be egress or none, not ${value}.`),
  tooManyTags: () => invalid("Number of tags exceeds resource tag limit."),
  /** AWS's words for it in other services, as their users quote them. */
  reservedTag: () => invalid("aws: prefixed tag key names are not allowed for external use."),
  tagsOnQualified: () =>
    invalid("Tags on function aliases and versions are not supported. Please specify a function ARN."),
  /** `Event source mapping not found: …` and `Capacity provider not found: …` are recorded. */
  taggedNotFound: (kind: string, arn: string) => {
    const words = kind.replaceAll("-", " ");
    return notFound(`${words.slice(0, 1).toUpperCase()}${words.slice(1)} not found: ${arn}`);
  },
  /** Own wording: AWS has a code source in every request that it accepts. */
  codeMissing: () => invalid("Please provide a source for function code."),
  /** Own wording: AWS documents that there is one source, not how it refuses two. */
  twoCodeSources: () => invalid("Please provide one source for function code: ZipFile or S3Bucket."),
  codeObjectUnreadable: (code: string, message: string) =>
    invalid(`Error occurred while GetObject. S3 Error Code: ${code}. S3 Error Message: ${message}`),
  unzippedTooLarge: () => invalid(`Unzipped size must be smaller than ${LIMITS.unzippedCodeBytes} bytes`),
  imageUriMissing: (doing: "creating" | "updating") =>
    invalid(`Please provide ImageUri when ${doing} a function with packageType Image.`),
  /** AWS's wording, as its users quote it. */
  runtimeOfImage: () =>
    invalid(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is IMAGE.",
    ),
  /** Own wording. */
  imageConfigOnZip: () => invalid("Please don't provide ImageConfig for a function with packageType Zip."),
  /** Own wording. */
  imageUriOnNewZip: () =>
    invalid("Please don't provide ImageUri when creating a function with packageType Zip."),
  imageUriOnZip: () =>
    invalid("Please don't provide ImageUri when updating a function with packageType Zip."),
  codeShaMismatch: (given: string, current: string) =>
    invalid(
      `CodeSHA256 (${given}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`,
    ),
  /** Own wording: a part of Lambda that this platform does not have is refused, never ignored. */
  notAvailable: (member: string) => invalid(`${member} is not available yet on this platform.`),
  /** Own wording. */
  logLevelNeedsJson: () =>
    invalid("ApplicationLogLevel and SystemLogLevel can only be set when LogFormat is JSON."),
  /** Own wording. */
  invalidMarker: () => invalid("Invalid Marker."),

  layerMissing: () => notFound("The resource you requested does not exist."),
  layerVersionNotFound: (arn: string) =>
    new AwsError("ResourceNotFoundException", `Layer version ${arn} does not exist.`, {
      status: 404,
      members: USER,
    }),
  layerOfFunctionNotFound: (arn: string) => invalid(`Layer version ${arn} does not exist.`),
  layersInOtherRegion: (region: string) =>
    invalid(
      `Layers are not in the same region as the function. Layers are expected to be in region ${region}.`,
    ),
  tooManyLayers: () => invalid(`Cannot reference more than ${LIMITS.layers} layers.`),
  sameLayerTwice: (first: string, second: string) =>
    invalid(
      `Two different versions of the same layer are not allowed to be referenced in the same function. ${first} and ${second} are versions of the same layer.`,
    ),
  /** AWS's wording, as its users quote it; the next one's, too. */
  layersTooLarge: () =>
    invalid(`Layers consume more than the available size of ${LIMITS.unzippedCodeBytes} bytes`),
  codeAndLayersTooLarge: (bytes: number) =>
    invalid(
      `Function code combined with layers exceeds the maximum allowed size of ${LIMITS.unzippedCodeBytes} bytes. The actual size is ${bytes} bytes.`,
    ),
  layerVersionTooSmall: () => invalid("Layer Version Cannot be less than 1."),
  layerForbidden: (caller: string, arn: string) =>
    new AwsError(
      "AccessDeniedException",
      `User: ${caller} is not authorized to perform: lambda:GetLayerVersion on resource: ${arn} because no resource-based policy allows the lambda:GetLayerVersion action`,
      { status: 403 },
    ),
  /** Own wording: AWS has no S3 object here either without a bucket, and no archive without either. */
  layerContentMissing: () => invalid("Please provide the content of the layer version."),
  noPolicy: () => notFound("No policy is associated with the given resource."),
  statementExists: (id: string) =>
    conflict(
      `The statement id (${id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    ),
  statementNotFound: (id: string) => notFound(`Statement ${id} is not found in resource policy.`),
  layerRevisionMismatch: () =>
    new AwsError(
      "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id",
      { status: 412, members: USER },
    ),

  tooManyWeights: () => invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"),
  weightOutOfRange: (version: string, weight: number) =>
    validation(
      `Value '{${version}=${weight}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]`,
    ),
  weightOnSameVersion: (version: string) =>
    invalid(
      `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
    ),
  weightOnLatest: () => invalid("$LATEST is not supported for an alias pointing to more than 1 version"),

  /** AWS Compute Blog, "Building multi-tenant SaaS applications with AWS Lambda's new tenant isolation mode". */
  tenantIdRequired: () =>
    invalid(
      "The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.",
    ),
  /** Told like its counterpart above, of which alone AWS's documentation quotes the wording. */
  tenantIdNotAllowed: () =>
    invalid(
      "The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.",
    ),
  /** Own wording: AWS documents that these do not go together, not how it says so. */
  notWithTenancy: (feature: string) =>
    invalid(`${feature} is not supported for functions that are enabled with tenancy configuration.`),

  requestTooLarge: (limit: number, operation: string) =>
    new AwsError(
      "RequestEntityTooLargeException",
      `Request must be smaller than ${limit} bytes for the ${operation} operation`,
      { status: 413 },
    ),
  payloadNotJson: (problem: string) =>
    new AwsError(
      "InvalidRequestContentException",
      `Could not parse request body into json: Could not parse payload into json: ${problem}`,
      { members: USER },
    ),
  clientContextInvalid: () =>
    new AwsError(
      "InvalidRequestContentException",
      "Client context must be a valid Base64-encoded JSON object.",
      { members: USER },
    ),
} as const;
