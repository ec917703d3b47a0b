import type { LifecycleRule } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();

const put = (...Rules: LifecycleRule[]) =>
  on.s3.call("PutBucketLifecycleConfiguration", { Bucket, LifecycleConfiguration: { Rules } });
const get = () => on.s3.call("GetBucketLifecycleConfiguration", { Bucket });
const remove = () => on.s3.call("DeleteBucketLifecycle", { Bucket });
const whole = (): LifecycleRule => ({
  Expiration: { Days: 7 },
  ID: "wholebucket",
  Filter: { Prefix: "" },
  Status: "Enabled",
});
const rule = (ID: string, Days: number, Filter: LifecycleRule["Filter"]): LifecycleRule => ({
  ID,
  Expiration: { Days },
  Filter,
  Status: "Enabled",
});

describe("lifecycle configurations", () => {
  test("test_delete_bucket_lifecycle_configuration", async () => {
    const recording = new Recording("lifecycle", "test_delete_bucket_lifecycle_configuration");
    await recording.expect("get-bucket-lifecycle-exc-1", get());
    await recording.expect("delete-bucket-lifecycle-no-bucket", remove());
    await put(whole());
    await recording.expect("get-bucket-lifecycle-conf", get());
    await remove();
    await recording.expect("get-bucket-lifecycle-exc-2", get());
  });

  test("test_delete_lifecycle_configuration_on_bucket_deletion", async () => {
    const recording = new Recording("lifecycle", "test_delete_lifecycle_configuration_on_bucket_deletion");
    await put(whole());
    await recording.expect("get-bucket-lifecycle-conf", get());
    await on.s3.call("DeleteBucket", { Bucket });
    await on.s3.call("CreateBucket", { Bucket });
    await recording.expect("get-bucket-lifecycle-exc", get());
  });

  test("test_bucket_lifecycle_configuration_date", async () => {
    const recording = new Recording("lifecycle", "test_bucket_lifecycle_configuration_date");
    const Expiration = { Date: new Date("2027-01-01T00:00:00Z") };
    await put({ ID: "rule_number_one", Expiration, Filter: {}, Status: "Enabled" });
    await recording.expect("get-bucket-lifecycle-conf", get());
  });

  test("test_bucket_lifecycle_configuration_object_expiry", async () => {
    const recording = new Recording("lifecycle", "test_bucket_lifecycle_configuration_object_expiry");
    await put(rule("rule_number_one", 7, { Prefix: "" }));
    await recording.expect("get-bucket-lifecycle-conf", get());
    await on.put("key", "test");
    const head = await recording.expect("head-object-expiry", on.head("key"));
    await recording.expect("get-object-expiry", on.get("key"));
    // Midnight after seven days from 2026-01-01T00:00:00Z.
    expect(head.Expiration).toBe('expiry-date="Thu, 08 Jan 2026 00:00:00 GMT", rule-id="rule_number_one"');
  });

  test("test_bucket_lifecycle_multiple_rules", async () => {
    const recording = new Recording("lifecycle", "test_bucket_lifecycle_multiple_rules");
    await put(
      rule("rule_one", 1, { Prefix: "testobject" }),
      rule("rule_two", 2, { Prefix: "test" }),
      rule("rule_three", 3, { Prefix: "t" }),
    );
    await recording.expect("get-bucket-lifecycle-conf", get());
    const both = await recording.expect("put-object-match-both-rules", on.put("testobject-1", "test"));
    const two = await recording.expect("put-object-match-rule-2", on.put("test-1", "test"));
    await recording.expect("put-object-no-match", on.put("other", "test"));
    expect([both, two].map(({ Expiration }) => /rule-id="(.*)"/.exec(Expiration ?? "")?.[1])).toEqual([
      "rule_one",
      "rule_two",
    ]);
  });

  test("test_bucket_lifecycle_object_size_rules", async () => {
    const recording = new Recording("lifecycle", "test_bucket_lifecycle_object_size_rules");
    await put(
      rule("rule_one", 1, { ObjectSizeGreaterThan: 20 }),
      rule("rule_two", 2, { ObjectSizeLessThan: 10 }),
    );
    await recording.expect("get-bucket-lifecycle-conf", get());
    const named = async (size: number) => {
      const { Expiration } = await on.put("key", "a".repeat(size));
      return /rule-id="(.*)"/.exec(Expiration ?? "")?.[1];
    };
    expect([await named(22), await named(9), await named(15)]).toEqual(["rule_one", "rule_two", undefined]);
  });

  test("test_object_expiry_after_bucket_lifecycle_configuration", async () => {
    const recording = new Recording("lifecycle", "test_object_expiry_after_bucket_lifecycle_configuration");
    await recording.expect("put-object-before", on.put("key", "test"));
    await put(rule("rule3", 7, {}));
    await recording.expect("get-bucket-lifecycle-conf", get());
    await recording.expect("head-object-expiry-before", on.head("key"));
    await recording.expect("put-object-after", on.put("key", "test"));
    await recording.expect("head-object-expiry-after", on.head("key"));
  });

  test("test_s3_transition_default_minimum_object_size", async () => {
    const recording = new Recording("lifecycle", "test_s3_transition_default_minimum_object_size");
    const sized = (minimum?: string) =>
      on.s3.call("PutBucketLifecycleConfiguration", {
        Bucket,
        LifecycleConfiguration: { Rules: [whole()] },
        ...(minimum === undefined
          ? {}
          : { TransitionDefaultMinimumObjectSize: minimum as "varies_by_storage_class" }),
      });
    await recording.expect("bad-value", sized("value"));
    await recording.expect("varies-by-storage", sized("varies_by_storage_class"));
    await recording.expect("get-varies-by-storage", get());
    await recording.expect("all-storage", sized("all_storage_classes_128K"));
    await recording.expect("get-all-storage", get());
    await recording.expect("default", sized());
    await recording.expect("get-default", get());
  });
});
