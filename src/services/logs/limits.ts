/** Quotas of CloudWatch Logs ("CloudWatch Logs quotas", PutLogEvents and GetLogEvents API reference). Sizes in bytes, times in ms. */
export const LIMITS = {
  nameLength: 512,
  /** Each event is charged its message in UTF-8 and this much more. */
  eventOverhead: 26,
  batchBytes: 1_048_576,
  eventBytes: 1_048_576,
  batchSpan: 24 * 3_600_000,
  tooOld: 14 * 86_400_000,
  tooNew: 2 * 3_600_000,
  pageBytes: 1_048_576,
  pageEvents: 10_000,
  describePage: 50,
  tags: 50,
  liveTailSessions: 15,
  queryGroups: 50,
  metricFilters: 100,
  metricDimensions: 3,
  subscriptionFilters: 2,
  resourcePolicies: 10,
  retentionDays: [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
  ],
} as const;
