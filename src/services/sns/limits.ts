/** Quotas of SNS ("Amazon SNS endpoints and quotas", AWS General Reference), and bounds of this platform's own. */
export const LIMITS = {
  /** Bytes of a message, its attributes included; of all messages of a batch together too. */
  messageBytes: 262_144,
  batchEntries: 10,
  subjectCharacters: 100,
  topicNameCharacters: 256,
  pageItems: 100,
  tags: 50,
  /** Standard topics may have 12,500,000, FIFO topics 100. */
  fifoSubscriptions: 100,
  filterPoliciesPerTopic: 200,
  filterPolicyKeys: 5,
  filterPolicyCombinations: 150,
  filterPolicyBytes: 262_144,
  policyBytes: 30_720,
  customUserDataBytes: 2048,
  /** SQS takes no more, so that a raw message with more is discarded. */
  rawAttributes: 10,
  deduplicationMs: 5 * 60_000,
  /** "Confirmation tokens are valid for two days" (API reference, Subscribe). */
  tokenMs: 2 * 24 * 3_600_000,
  /** How long an HTTP endpoint has for its answer (developer guide, "Prepare your endpoint"). */
  httpTimeoutMs: 15_000,
  httpAnswerBytes: 65_536,
  /** Of the outbox; the oldest make way. */
  outboxEntries: 500,
} as const;
