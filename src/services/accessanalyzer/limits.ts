/** Quotas and sizes of Access Analyzer (IAM user guide, "IAM Access Analyzer quotas"). */
export const LIMITS = {
  /** Items on a page where a call does not say. */
  page: 100,
  largestPage: 1000,
  /** In characters: twice what the largest policy of any service may have. */
  document: 65_536,
  generationsPerDay: 50,
  /** "Lists all of the policy generations requested in the last seven days" (API reference). */
  generationDays: 7,
} as const;
