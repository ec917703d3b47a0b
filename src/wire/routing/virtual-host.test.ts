import * as fc from "fast-check";
import { expect, it } from "vitest";
import { bucketOfHost } from "./virtual-host.ts";

it.each([
  ["bucket.localhost:4566", "bucket"],
  ["my.bucket.localhost", "my.bucket"],
  ["bucket.s3.localhost:4566", "bucket"],
  ["bucket.s3.us-east-1.localhost", "bucket"],
  ["bucket.s3.localhost.localstack.cloud:4566", "bucket"],
  ["bucket.s3.amazonaws.com", "bucket"],
  ["my.bucket.s3.amazonaws.com", "my.bucket"],
  ["bucket.s3.eu-west-1.amazonaws.com", "bucket"],
  ["bucket.s3-eu-west-1.amazonaws.com", "bucket"],
  ["bucket.s3.dualstack.eu-west-1.amazonaws.com", "bucket"],
  ["my.s3.bucket.s3.amazonaws.com", "my.s3.bucket"],
  ["BUCKET.localhost", "bucket"],
  ["localhost:4566", undefined],
  ["127.0.0.1:4566", undefined],
  ["[::1]:4566", undefined],
  ["s3.amazonaws.com", undefined],
  ["s3.us-east-1.amazonaws.com", undefined],
  ["s3.localhost:4566", undefined],
  ["s3.us-east-1.localhost", undefined],
  ["thaw:4566", undefined],
  ["example.com", undefined],
  [undefined, undefined],
])("%s names %s", (host, bucket) => expect(bucketOfHost(host)).toBe(bucket));

it("answers quickly, and with nothing that a path could misread, whatever comes", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: fc.constantFrom("a", ".", "s3", "-", ".localhost", "%", "/") }),
      ),
      (host) => {
        const bucket = bucketOfHost(host);
        if (bucket !== undefined) expect(bucket).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
      },
    ),
  );
  expect(bucketOfHost(`${"a.".repeat(20_000)}!`)).toBeUndefined();
});
