/**
 * The bucket that a host name begins with (Amazon S3 User Guide, "Virtual hosting of general purpose buckets"):
 * `bucket.s3.eu-west-1.amazonaws.com`, `bucket.s3.localhost`, and `bucket.localhost`, which clients make of the endpoint
 * `http://localhost:4566`. `undefined` where there is none, as in `s3.amazonaws.com`, `localhost` and addresses.
 */
export function bucketOfHost(authority: string | undefined): string | undefined {
  // No name of the DNS is longer.
  if (authority === undefined || authority.length > 260) return undefined;
  const colon = authority.indexOf(":");
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  const bucket = S3_DOMAIN.exec(host)?.[1] ?? LOCAL_DOMAIN.exec(host)?.[1];
  return bucket === undefined || SERVICE_ALONE.test(bucket) ? undefined : bucket;
}

/** With a region after `s3` or joined to it, and with what else AWS puts there (`dualstack`). The last `s3` counts. */
const S3_DOMAIN =
  /^([a-z0-9][a-z0-9.-]*)\.s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|localhost(?:\.[a-z0-9.-]+)?)$/;
const LOCAL_DOMAIN = /^([a-z0-9][a-z0-9.-]*)\.localhost$/;
/** What stands before `.localhost` in the service's own names: `s3.localhost`, `s3.us-east-1.localhost`. */
const SERVICE_ALONE = /^s3(?:[.-][a-z0-9-]+)?$/;
