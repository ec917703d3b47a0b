import { describe, test } from "vitest";
import { withStorage } from "../../support/storage.ts";
import { createS3Fixture } from "../../support/s3-service.ts";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

const on = withBucket();

describe("buckets", () => {
  test("test_create_bucket_head_bucket", async () => {
    const recording = new Recording("buckets", "test_create_bucket_head_bucket");
    const west = { region: "us-west-1" };
    const create = on.s3.call("CreateBucket", { Bucket: "bucket-one" });
    await recording.expect("create_bucket", create);
    const constraint = { LocationConstraint: "us-west-1" } as const;
    await recording.expect(
      "create_bucket_location_constraint",
      on.s3.call("CreateBucket", { Bucket: "bucket-two", CreateBucketConfiguration: constraint }, west),
    );
    await recording.expect("head_bucket", on.s3.call("HeadBucket", { Bucket: "bucket-one" }));
    await recording.expect("head_bucket_2", on.s3.call("HeadBucket", { Bucket: "bucket-two" }, west));
    await recording.expect("head_bucket_not_exist", on.s3.call("HeadBucket", { Bucket: "not-exist" }));
  });

  test("test_create_bucket_with_eu_location_constraint", async () => {
    const recording = new Recording("buckets", "test_create_bucket_with_eu_location_constraint");
    const eu = { region: "eu-west-1" };
    const CreateBucketConfiguration = { LocationConstraint: "EU" } as const;
    await on.s3.call("CreateBucket", { Bucket: "eu-bucket", CreateBucketConfiguration }, eu);
    await recording.expect(
      "get-bucket-location",
      on.s3.call("GetBucketLocation", { Bucket: "eu-bucket" }, eu),
    );
    await recording.expect("list-bucket-response", on.s3.call("ListBuckets", { Prefix: "eu-bucket" }));
  });

  test.each([
    ["test_bucket_constraint_aws_global[us-west-1]", "aws-global-constraint", "aws-global", "us-west-1"],
    [
      "test_create_bucket_with_eu_location_constraint_raises",
      "eu-location-constraint-error",
      "EU",
      "us-east-2",
    ],
    [
      "test_create_bucket_with_invalid_location_constraint[eu-west-1-bar]",
      "eu-west-1-location-constraint-bar-error",
      "bar",
      "eu-west-1",
    ],
    [
      "test_create_bucket_with_invalid_location_constraint[us-east-1-foo]",
      "us-east-1-location-constraint-foo-error",
      "foo",
      "us-east-1",
    ],
    [
      "test_create_bucket_with_invalid_location_constraint[us-east-1-us-east-1]",
      "us-east-1-location-constraint-us-east-1-error",
      "us-east-1",
      "us-east-1",
    ],
  ])("%s", async (scenario, step, LocationConstraint, region) => {
    // scenarios of buckets: test_bucket_constraint_aws_global[us-west-1] | test_create_bucket_with_eu_location_constraint_raises | test_create_bucket_with_invalid_location_constraint[eu-west-1-bar] | test_create_bucket_with_invalid_location_constraint[us-east-1-foo] | test_create_bucket_with_invalid_location_constraint[us-east-1-us-east-1]
    const recording = new Recording("buckets", scenario);
    const CreateBucketConfiguration = { LocationConstraint: LocationConstraint as "EU" };
    await recording.expect(
      step,
      on.s3.call("CreateBucket", { Bucket: "new-bucket", CreateBucketConfiguration }, { region }),
    );
  });

  test("test_different_location_constraint", async () => {
    const recording = new Recording("buckets", "test_different_location_constraint");
    const create = (Name: string, region: string, constraint?: string) =>
      on.s3.call(
        "CreateBucket",
        {
          Bucket: Name,
          ...(constraint === undefined
            ? {}
            : { CreateBucketConfiguration: { LocationConstraint: constraint as "EU" } }),
        },
        { region },
      );
    await recording.expect("create-bucket-constraint-us-east-1", create("one", "us-east-1", "us-east-1"));
    await recording.expect("create-bucket-constraint-us-east-1-with-None", create("one", "us-east-1"));
    await recording.expect("create-bucket-constraint-us-east-2-with-None", create("two", "us-east-2"));
    await recording.expect("create-bucket-us-east-2-no-constraint-exc", create("two", "us-east-2"));
    await recording.expect(
      "create-bucket-us-east-2-constraint-to-us-west-1",
      create("two", "us-east-2", "us-west-1"),
    );
    await recording.expect(
      "create-bucket-us-west-1-constraint-to-us-east-1",
      create("two", "us-west-1", "us-east-1"),
    );
    await create("two", "us-east-2", "us-east-2");
    const location = (Name: string) => on.s3.call("GetBucketLocation", { Bucket: Name });
    const none = location("one").then(({ LocationConstraint = null }) => ({ LocationConstraint }));
    await recording.expect("get-bucket-location-bucket-us-east-1", none);
    await recording.expect("get-bucket-location-bucket-us-east-2", location("two"));
    await recording.expect("get-bucket-location-non-existent-bucket", location("three"));
  });

  test("test_region_header_exists_outside_us_east_1", async () => {
    const recording = new Recording("buckets", "test_region_header_exists_outside_us_east_1");
    const eu = { region: "eu-central-1" };
    const CreateBucketConfiguration = { LocationConstraint: "eu-central-1" } as const;
    await on.s3.call("CreateBucket", { Bucket: "central", CreateBucketConfiguration }, eu);
    await recording.expect("head_bucket", on.s3.call("HeadBucket", { Bucket: "central" }, eu));
    await recording.expect(
      "list_objects_v2",
      on.s3.call("ListObjectsV2", { Bucket: "central", EncodingType: "url" }, eu),
    );
  });

  test("test_s3_uppercase_bucket_name", async () => {
    const recording = new Recording("buckets", "test_s3_uppercase_bucket_name");
    await recording.expect("uppercase-bucket", on.s3.call("CreateBucket", { Bucket: "Bucket-UPPER" }));
  });

  test("test_create_bucket_with_tags_us_east_1_idempotency", async () => {
    const recording = new Recording("buckets", "test_create_bucket_with_tags_us_east_1_idempotency");
    const create = (Tags?: { Key: string; Value: string }[]) =>
      on.s3.call("CreateBucket", {
        Bucket: "tagged",
        ...(Tags === undefined ? {} : { CreateBucketConfiguration: { Tags } }),
      });
    const tags = () => on.s3.call("GetBucketTagging", { Bucket: "tagged" });
    await recording.expect("create-bucket-with-tags", create([{ Key: "tag1", Value: "value1" }]));
    await recording.expect("get-bucket-tags", tags());
    await recording.expect("create-bucket-with-same-tags", create([{ Key: "tag1", Value: "value1" }]));
    await recording.expect("create-bucket-different-tags", create([{ Key: "tag2", Value: "value2" }]));
    await recording.expect("create-bucket-with-no-tags", create());
    await recording.expect("get-bucket-tags-after-re-create", tags());
    await recording.expect("create-bucket-with-empty-tags", create([]));
    await recording.expect("get-bucket-tags-after-create-empty", tags());
  });

  test("test_create_bucket_with_tags", async () => {
    const recording = new Recording("buckets", "test_create_bucket_with_tags");
    const CreateBucketConfiguration = { Tags: [{ Key: "tag1", Value: "value1" }] };
    await recording.expect(
      "create-bucket-with-tags",
      on.s3.call("CreateBucket", { Bucket: "tagged", CreateBucketConfiguration }),
    );
    await recording.expect("get-bucket-tags", on.s3.call("GetBucketTagging", { Bucket: "tagged" }));
  });

  test("test_create_bucket_with_tags_exc", async () => {
    const recording = new Recording("buckets", "test_create_bucket_with_tags_exc");
    const create = (...Tags: { Key?: string; Value?: string }[]) =>
      on.s3.call("CreateBucket", { Bucket: "tagged", CreateBucketConfiguration: { Tags: Tags as never } });
    await recording.expect("tags-key-aws-prefix", create({ Key: "aws:test", Value: "value1" }));
    await recording.expect("tags-key-aws-bad-key", create({ Key: "test,test2", Value: "value1" }));
    await recording.expect("tags-key-aws-bad-value", create({ Key: "test", Value: "value1,value2" }));
    await recording.expect("tags-key-none", create({ Value: "value1" }));
    await recording.expect("tags-value-none", create({ Key: "test" }));
  });

  test("test_delete_bucket_with_objects", async () => {
    const recording = new Recording("buckets", "test_delete_bucket_with_objects");
    await on.put("key", "content");
    const remove = () => on.s3.call("DeleteBucket", { Bucket });
    await recording.expect("delete-with-obj", remove());
    await recording.expect("delete-obj", on.del("key"));
    await recording.expect("delete-bucket", remove());
  });

  test("test_delete_versioned_bucket_with_objects", async () => {
    const recording = new Recording("buckets", "test_delete_versioned_bucket_with_objects");
    await on.versioning();
    const { VersionId } = await on.put("key", "content");
    const marker = await on.del("key");
    const remove = () => on.s3.call("DeleteBucket", { Bucket });
    await recording.expect("delete-with-obj-and-delete-marker", remove());
    await recording.expect("delete-obj-by-version", on.del("key", { VersionId }));
    await recording.expect("delete-with-only-delete-marker", remove());
    await recording.expect("delete-marker-by-version", on.del("key", { VersionId: marker.VersionId }));
    await recording.expect("success-delete-bucket", remove());
  });

  test("test_list_buckets_by_bucket_region", async () => {
    const recording = new Recording("buckets", "test_list_buckets_by_bucket_region");
    const CreateBucketConfiguration = { LocationConstraint: "us-west-2" } as const;
    await on.s3.call("CreateBucket", { Bucket: "west", CreateBucketConfiguration }, { region: "us-west-2" });
    const list = (BucketRegion: string) => on.s3.call("ListBuckets", { Prefix: "west", BucketRegion });
    await recording.expect("list-objects-by-bucket-region-empty", list("eu-central-1"));
    await recording.expect("list-objects-by-bucket-region-not-empty", list("us-west-2"));
  });

  test("test_list_buckets_region_validation", async () => {
    const recording = new Recording("buckets", "test_list_buckets_region_validation");
    await recording.expect("bad-region", on.s3.call("ListBuckets", { BucketRegion: "eu-east-1" }));
  });
});

describe("bucket owners", () => {
  const storage = withStorage();

  test.each([
    ["test_get_bucket_policy_invalid_account_id[0000]", "0000"],
    ["test_get_bucket_policy_invalid_account_id[aa000000000$]", "aa000000000$"],
    ["test_get_bucket_policy_invalid_account_id[abcd]", "abcd"],
  ])("%s", async (scenario, ExpectedBucketOwner) => {
    // scenarios of buckets: test_get_bucket_policy_invalid_account_id[0000] | test_get_bucket_policy_invalid_account_id[aa000000000$] | test_get_bucket_policy_invalid_account_id[abcd]
    const recording = new Recording("buckets", scenario);
    const s3 = createS3Fixture(storage());
    await s3.call("CreateBucket", { Bucket });
    await recording.expect(
      "get-bucket-policy-invalid-bucket-owner",
      s3.call("GetBucketPolicy", { Bucket, ExpectedBucketOwner }),
    );
  });

  test.each([
    ["test_put_bucket_policy_invalid_account_id[0000000000020]", "0000000000020"],
    ["test_put_bucket_policy_invalid_account_id[aa000000000$]", "aa000000000$"],
    ["test_put_bucket_policy_invalid_account_id[abcd]", "abcd"],
  ])("%s", async (scenario, ExpectedBucketOwner) => {
    // scenarios of buckets: test_put_bucket_policy_invalid_account_id[0000000000020] | test_put_bucket_policy_invalid_account_id[aa000000000$] | test_put_bucket_policy_invalid_account_id[abcd]
    const recording = new Recording("buckets", scenario);
    const s3 = createS3Fixture(storage());
    await s3.call("CreateBucket", { Bucket });
    await recording.expect(
      "put-bucket-policy-invalid-bucket-owner",
      s3.call("PutBucketPolicy", { Bucket, Policy: "{}", ExpectedBucketOwner }),
    );
  });
});
