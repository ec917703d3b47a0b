const MB = 1024 * 1024;

/** Quotas of S3 ("Amazon S3 multipart upload limits", "General purpose buckets quotas"). Sizes in bytes. */
export const LIMITS = {
  buckets: 10_000,
  keyBytes: 1024,
  putBytes: 5 * 1024 * MB,
  copyBytes: 5 * 1024 * MB,
  partBytes: 5 * 1024 * MB,
  /** Of every part but the last. */
  smallestPart: 5 * MB,
  parts: 10_000,
  metadataBytes: 2048,
  objectTags: 10,
  bucketTags: 50,
  page: 1000,
  deletions: 1000,
  lifecycleRules: 1000,
  corsRules: 100,
  policyBytes: 20 * 1024,
} as const;
