/** Quotas of CloudWatch (user guide, "CloudWatch service quotas", and API reference). Times in milliseconds. */
export const LIMITS = {
  datumsPerRequest: 1000,
  valuesPerDatum: 150,
  dimensions: 30,
  /** Values lie between -2^360 and 2^360. */
  magnitude: 2 ** 360,
  tooOld: 14 * 86_400_000,
  tooNew: 2 * 3_600_000,
  statisticsDatapoints: 1440,
  metricDataQueries: 500,
  metricDataDatapoints: 100_800,
  listMetricsPage: 500,
  /** Listed are metrics that had a value in the past two weeks. */
  listedFor: 14 * 86_400_000,
  recentlyActive: 3 * 3_600_000,
  tags: 50,
} as const;
