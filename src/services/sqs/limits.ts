/** Quotas of SQS ("Amazon SQS message quotas", "Amazon SQS queue quotas", the API reference). Sizes in bytes, times in seconds. */
export const LIMITS = {
  messageBytes: 1_048_576,
  batchEntries: 10,
  delay: 900,
  visibilityTimeout: 43_200,
  wait: 20,
  receive: 10,
  /** Messages received and not yet deleted; a FIFO queue gives nothing more then, a standard queue refuses. */
  inFlight: 120_000,
  /** Within this time a deduplication id is taken once. */
  deduplication: 300,
  purgeInterval: 60,
  listPage: 1000,
  tags: 50,
  tagKey: 128,
  tagValue: 256,
  messageAttributes: 10,
  attributeName: 256,
  policyStatements: 20,
  policyActions: 7,
  moveTasks: 10,
  moveRate: 500,
} as const;
