/** Lambda's quotas, from the developer guide's "Lambda quotas" unless a comment says otherwise. Sizes are bytes. */
export const LIMITS = {
  functionNameLength: 64,
  memoryMb: 10_240,
  timeoutSeconds: 900,
  ephemeralStorageMb: 10_240,
  environmentBytes: 4096,
  tags: 50,
  /** A function's, version's or alias's resource-based policy. */
  policyBytes: 20_480,
  layers: 5,
  /** Of a mapping: what AWS raises its quota of five to ("Control which events Lambda sends to your function"). */
  filters: 10,
  zippedCodeBytes: 52_428_800,
  unzippedCodeBytes: 262_144_000,
  /** A CreateFunction or UpdateFunctionCode request, base64 of the archive included (recorded from AWS). */
  codeRequestBytes: 70_167_211,
  accountCodeBytes: 80_530_636_800,
  synchronousPayloadBytes: 6_291_456,
  asynchronousPayloadBytes: 1_048_576,
  /** What destinations can hold (SQS developer guide, "Message quotas"; API reference, OnFailure). */
  queueMessageBytes: 1_048_576,
  topicMessageBytes: 262_144,
  /** Base64 characters of the X-Amz-Client-Context header (API reference, Invoke). */
  clientContextLength: 3583,
  /** Items in one page of any list, however many a client asks for (API reference, ListFunctions). */
  pageItems: 50,
  /** How long a link to a function's code works (API reference, FunctionCodeLocation). */
  codeLinkMs: 10 * 60_000,
} as const;

export const DEFAULTS = {
  memoryMb: 128,
  timeoutSeconds: 3,
  ephemeralStorageMb: 512,
  architecture: "x86_64",
} as const;

/** A function's own choice of what it reaches: docs/configuration.md. To AWS it is a variable like any other. */
export const NETWORK_VARIABLE = "THAW_NETWORK";

/** Names that a function's configuration may not set (developer guide, "Defined runtime environment variables"). */
export const RESERVED_ENVIRONMENT: ReadonlySet<string> = new Set([
  "_HANDLER",
  "_X_AMZN_TRACE_ID",
  "AWS_ACCESS_KEY",
  "AWS_ACCESS_KEY_ID",
  "AWS_DEFAULT_REGION",
  "AWS_EXECUTION_ENV",
  "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
  "AWS_LAMBDA_FUNCTION_NAME",
  "AWS_LAMBDA_FUNCTION_VERSION",
  "AWS_LAMBDA_INITIALIZATION_TYPE",
  "AWS_LAMBDA_LOG_GROUP_NAME",
  "AWS_LAMBDA_LOG_STREAM_NAME",
  "AWS_LAMBDA_RUNTIME_API",
  "AWS_REGION",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "LAMBDA_RUNTIME_DIR",
  "LAMBDA_TASK_ROOT",
]);
