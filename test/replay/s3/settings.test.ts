import type * as client from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import type { InputOf } from "../../../src/wire/operation.ts";
import { Bucket, withBucket } from "./bucket.ts";
import { Recording } from "./recording.ts";

type In<Name extends string> = Partial<InputOf<typeof client, Name>>;

const on = withBucket();
const missing = "nobodys-bucket";
type Tag = { Key?: string; Value?: string };

describe("tags", () => {
  const put = (TagSet: readonly Tag[], name = Bucket) =>
    on.s3.call("PutBucketTagging", { Bucket: name, Tagging: { TagSet: TagSet as never } });
  const get = (name = Bucket) => on.s3.call("GetBucketTagging", { Bucket: name });
  const remove = (name = Bucket) => on.s3.call("DeleteBucketTagging", { Bucket: name });
  const putObject = (Key: string, TagSet: readonly Tag[], name = Bucket) =>
    on.s3.call("PutObjectTagging", { Bucket: name, Key, Tagging: { TagSet: TagSet as never } });
  const getObject = (Key: string, name = Bucket) => on.s3.call("GetObjectTagging", { Bucket: name, Key });
  const removeObject = (Key: string, name = Bucket) =>
    on.s3.call("DeleteObjectTagging", { Bucket: name, Key });
  const two = [
    { Key: "tag1", Value: "tag1" },
    { Key: "tag2", Value: "" },
  ];

  test("test_bucket_tagging_crud", async () => {
    const recording = new Recording("settings", "test_bucket_tagging_crud");
    await recording.expect("get-bucket-tags-empty", get());
    await recording.expect("put-bucket-tags", put(two));
    await recording.expect("get-bucket-tags", get());
    await recording.expect("put-bucket-tags-overwrite", put([{ Key: "tag3", Value: "tag3" }]));
    await recording.expect("get-bucket-tags-overwritten", get());
    await recording.expect("delete-bucket-tags", remove());
    await recording.expect("get-bucket-tags-empty", get());
    await recording.expect("put-bucket-tags-empty", put([]));
  });

  test("test_put_bucket_tagging_none_value", async () => {
    const recording = new Recording("settings", "test_put_bucket_tagging_none_value");
    await recording.expect("put-bucket-tags-origin", put(two));
    await recording.expect("put-none-tag-set", put([]));
    await recording.expect("no-such-tag-set", get());
  });

  test("test_bucket_tagging_exc", async () => {
    const recording = new Recording("settings", "test_bucket_tagging_exc");
    await recording.expect("get-no-bucket-tags", get(missing));
    await recording.expect("delete-no-bucket-tags", remove(missing));
    await recording.expect("put-no-bucket-tags", put(two, missing));
  });

  test("test_object_tagging_crud", async () => {
    const recording = new Recording("settings", "test_object_tagging_crud");
    const key = "test-object-tagging";
    await recording.expect("put-object", on.put(key, "test-tagging"));
    await recording.expect("get-object-tags-empty", getObject(key));
    await recording.expect("put-object-tags", putObject(key, two));
    await recording.expect("get-object-tags", getObject(key));
    await recording.expect("put-object-tags-overwrite", putObject(key, [{ Key: "tag3", Value: "tag3" }]));
    await recording.expect("get-object-tags-overwritten", getObject(key));
    await recording.expect("get-obj-after-tags", on.get(key));
    await recording.expect("delete-object-tags", removeObject(key));
    await recording.expect("get-object-tags-deleted", getObject(key));
    await recording.expect("get-obj-after-tags-deleted", on.get(key));
  });

  test("test_put_object_tagging_none_value", async () => {
    const recording = new Recording("settings", "test_put_object_tagging_none_value");
    await on.put("key");
    await recording.expect("put-none-tag-set", putObject("key", []));
    await recording.expect("get-object-tags-none", getObject("key"));
  });

  test("test_put_object_tagging_empty_list", async () => {
    const recording = new Recording("settings", "test_put_object_tagging_empty_list");
    await on.put("key", "test");
    await recording.expect("created-object-tags", getObject("key"));
    await putObject("key", two);
    await recording.expect("updated-object-tags", getObject("key"));
    await putObject("key", []);
    await recording.expect("deleted-object-tags", getObject("key"));
  });

  test("test_delete_object_tagging", async () => {
    const recording = new Recording("settings", "test_delete_object_tagging");
    await on.put("key", "something");
    await recording.expect("get-obj", on.get("key"));
    await removeObject("key");
    await recording.expect("get-obj-after-tag-deletion", on.get("key"));
  });

  test("test_head_object_with_tags", async () => {
    const recording = new Recording("settings", "test_head_object_with_tags");
    const Tagging = "tag1=test&tag2=test&tag3=test";
    await recording.expect("put-object", on.put("key", "test-tagging", { Tagging }));
    await recording.expect("head-obj-after-create", on.head("key"));
    await recording.expect("put-object-tags", putObject("key", [{ Key: "tag3", Value: "tag3" }]));
    await recording.expect("head-obj-after-tagging", on.head("key"));
    await on.put("key", "test-tagging", { Tagging });
    await recording.expect("head-obj-after-overwrite", on.head("key"));
    await removeObject("key");
    await recording.expect("head-obj-after-removal", on.head("key"));
  });

  test("test_object_tagging_exc", async () => {
    const recording = new Recording("settings", "test_object_tagging_exc");
    await recording.expect("get-no-bucket-tags", getObject("fake-key", missing));
    await recording.expect("delete-no-bucket-tags", removeObject("fake-key", missing));
    await recording.expect("put-no-bucket-tags", putObject("fake-key", two, missing));
    await recording.expect("delete-no-key-tags", removeObject("fake-key"));
    await recording.expect("put-no-key-tags", putObject("fake-key", two));
    const duplicate = on.put("k", "", { Tagging: "key1=val1&key1=val2" });
    await recording.expect("put-obj-duplicate-tagging", duplicate);
    const commas = on.put("k", "", { Tagging: "key1=val1,key2=val2" });
    await recording.expect("put-obj-wrong-format", commas);
  });

  test("test_tagging_validation", async () => {
    const recording = new Recording("settings", "test_tagging_validation");
    await on.put("key");
    for (const [name, send] of [
      ["bucket", put],
      ["object", (tags: readonly Tag[]) => putObject("key", tags)],
    ] as const) {
      const step = (what: string, ...tags: Tag[]) => recording.expect(`put-${name}-tags-${what}`, send(tags));
      // oxlint-disable no-await-in-loop -- in the order that was recorded
      await step("duplicate-keys", { Key: "Key1", Value: "Val1" }, { Key: "Key1", Value: "Val2" });
      if (name === "bucket") await step("invalid-key", { Key: "Key1,Key2", Value: "Val1" });
      else await step("invalid-field", { Key: "Key1,Key2", Value: "Val1" });
      if (name === "bucket") await step("invalid-value", { Key: "Key1", Value: "Val1,Val2" });
      await step("aws-prefixed", { Key: "aws:prefixed", Value: "Val1" });
      await step("none-key", { Value: "Val1" });
      await step("none-value", { Key: "Key1" });
      // oxlint-enable no-await-in-loop
    }
  });
});

describe("policies and ownership", () => {
  const policy = JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "s3:GetObject",
        Resource: `arn:aws:s3:::${Bucket}/*`,
        Principal: { AWS: "*" },
      },
    ],
  });
  const put = (Policy: string, input: In<"PutBucketPolicy"> = {}) =>
    on.s3.call("PutBucketPolicy", { Bucket, Policy, ...input });
  const get = async () => {
    const { Policy = "" } = await on.s3.call("GetBucketPolicy", { Bucket });
    return { Policy: JSON.parse(Policy) as unknown };
  };
  const remove = () => on.s3.call("DeleteBucketPolicy", { Bucket });
  const unblock = () => on.s3.call("DeletePublicAccessBlock", { Bucket });

  test("test_bucket_policy_crud", async () => {
    const recording = new Recording("settings", "test_bucket_policy_crud");
    await unblock();
    await recording.expect("get-bucket-default-policy", get());
    await recording.expect("put-bucket-policy", put(policy));
    await recording.expect("get-bucket-policy", get());
    await recording.expect("delete-bucket-policy", remove());
    await recording.expect("get-bucket-policy-after-delete", get());
    await recording.expect("delete-bucket-policy-after-delete", remove());
  });

  test("a bucket that blocks public policies takes none", async () => {
    await expect(put(policy)).rejects.toMatchObject({ code: "AccessDenied", status: 403 });
  });

  test("test_bucket_policy_exc", async () => {
    const recording = new Recording("settings", "test_bucket_policy_exc");
    await recording.expect("put-empty-bucket-policy", put(""));
    await recording.expect("put-bucket-policy-randomstring", put("invalid json"));
    await recording.expect("put-bucket-policy-empty-json", put("{}"));
  });

  test("test_put_bucket_policy_expected_bucket_owner", async () => {
    const recording = new Recording("settings", "test_put_bucket_policy_expected_bucket_owner");
    await unblock();
    const wrong = put(policy, { ExpectedBucketOwner: "999999999999" });
    await recording.expect("put-bucket-policy-with-expected-bucket-owner-error", wrong);
    const right = put(policy, { ExpectedBucketOwner: "111111111111" });
    await recording.expect("put-bucket-policy-with-expected-bucket-owner", right);
  });

  test("test_delete_bucket_policy", async () => {
    const recording = new Recording("settings", "test_delete_bucket_policy");
    await unblock();
    await put(policy);
    await recording.expect("delete-bucket-policy", remove());
    await recording.expect("get-bucket-policy-no-such-bucket-policy", get());
  });

  test("test_put_bucket_policy", async () => {
    const recording = new Recording("settings", "test_put_bucket_policy");
    await unblock();
    await recording.expect("put-bucket-policy", put(policy));
    await recording.expect("get-bucket-policy", get());
  });

  test("test_bucket_ownership_controls_exc", async () => {
    const recording = new Recording("settings", "test_bucket_ownership_controls_exc");
    const rules = (...Rules: { ObjectOwnership: string }[]) =>
      on.s3.call("PutBucketOwnershipControls", { Bucket, OwnershipControls: { Rules: Rules as never } });
    const controls = on.s3.call("GetBucketOwnershipControls", { Bucket });
    await recording.expect("default-ownership", controls);
    const one = { ObjectOwnership: "BucketOwnerPreferred" };
    await recording.expect("put-ownership-multiple-rules", rules(one, { ObjectOwnership: "ObjectWriter" }));
    await recording.expect("put-ownership-wrong-value", rules({ ObjectOwnership: "RandomValue" }));
    await recording.expect("put-ownership-empty-rule", rules());
    const create = (ObjectOwnership: string) =>
      on.s3.call("CreateBucket", { Bucket: "owned", ObjectOwnership: ObjectOwnership as never });
    await recording.expect("ownership-wrong-value-at-creation", create("RandomValue"));
    await recording.expect("ownership-non-value-at-creation", create(""));
  });
});

describe("ACLs", () => {
  const open = async () => {
    await on.s3.call("DeletePublicAccessBlock", { Bucket });
    await on.s3.call("PutBucketOwnershipControls", {
      Bucket,
      OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] },
    });
  };
  const put = (input: In<"PutBucketAcl">) => on.s3.call("PutBucketAcl", { Bucket, ...input });
  const get = () => on.s3.call("GetBucketAcl", { Bucket });

  test("test_s3_bucket_acl", async () => {
    const recording = new Recording("settings", "test_s3_bucket_acl");
    await open();
    await recording.expect("get-bucket-canned-acl", get());
    await put({ ACL: "public-read" });
    await recording.expect("get-bucket-acl", get());
    const URI = "http://acs.amazonaws.com/groups/s3/LogDelivery";
    await put({ GrantRead: `uri="${URI}"` });
    await recording.expect("get-bucket-grant-acl", get());
    const { Owner } = await get();
    const Grants = [
      { Grantee: { Type: "CanonicalUser", ID: Owner?.ID }, Permission: "FULL_CONTROL" },
      { Grantee: { Type: "Group", URI }, Permission: "WRITE" },
    ] as const;
    await put({ AccessControlPolicy: { Owner, Grants: [...Grants] } });
    await recording.expect("get-bucket-acp-acl", get());
  });

  test("test_s3_object_acl_exceptions", async () => {
    const recording = new Recording("settings", "test_s3_object_acl_exceptions");
    await open();
    const { ID } = (await get()).Owner ?? {};
    const input = (ACL: string) => on.put("k", "", { ACL: ACL as "private" });
    await on.put("k");
    const acl = (given: In<"PutObjectAcl">) => on.s3.call("PutObjectAcl", { Bucket, Key: "k", ...given });
    await unworded(recording, "put-object-canned-acl", input("fake-acl"));
    await unworded(recording, "put-object-acl-canned-acl", acl({ ACL: "fake-acl" as "private" }));
    await recording.expect("put-object-acl-empty", acl({}));
    const grant = (GrantWrite: string) => acl({ GrantWrite });
    const fake = "http://acs.amazonaws.com/groups/s3/FakeGroup";
    await recording.expect("put-object-grant-acl-fake-uri", grant(`uri="${fake}"`));
    await recording.expect("put-object-grant-acl-fake-key", grant('fakekey="1234"'));
    await recording.expect("put-object-grant-acl-wrong-id", grant('id="wrong-id"'));
    const both = acl({ ACL: "public-read", GrantRead: `id="${ID ?? ""}"` });
    await recording.expect("put-object-two-type-acl", both);
    const policy = (AccessControlPolicy: object) => acl({ AccessControlPolicy });
    await recording.expect("put-object-empty-acp", policy({}));
    await recording.expect(
      "put-object-acp-acl-1",
      policy({ Grants: [{ Grantee: { Type: "CanonicalUser", ID }, Permission: "READ" }] }),
    );
    const Owner = { ID };
    await recording.expect(
      "put-object-acp-acl-3",
      policy({ Owner, Grants: [{ Grantee: { Type: "CanonicalUser", ID: "wrong-id" }, Permission: "READ" }] }),
    );
    await recording.expect(
      "put-object-acp-acl-4",
      policy({ Owner, Grants: [{ Grantee: { Type: "Group", URI: fake }, Permission: "READ" }] }),
    );
    const Grants = [{ Grantee: { Type: "CanonicalUser" as const, ID }, Permission: "READ" as const }];
    await recording.expect("put-object-acp-acl-5", policy({ Owner: { ID: "wrong-id" }, Grants }));
    await recording.expect(
      "put-object-two-type-acl-acp",
      acl({ ACL: "public-read", AccessControlPolicy: { Owner, Grants } }),
    );
  });

  test("a bucket whose owner is enforced takes no ACLs but its owner's", async () => {
    await expect(put({ ACL: "public-read" })).rejects.toMatchObject({
      code: "AccessControlListNotSupported",
    });
    await expect(on.put("k", "", { ACL: "public-read" })).rejects.toMatchObject({
      code: "AccessControlListNotSupported",
    });
    await on.put("k", "", { ACL: "bucket-owner-full-control" });
  });

  /** Messages that S3 leaves empty, which the client reads as none. */
  async function unworded(recording: Recording, step: string, outcome: Promise<unknown>): Promise<void> {
    const { Error: error } = recording.read(step) as { Error: { Message: null; ArgumentName: string } };
    expect(error.Message).toBeNull();
    await expect(outcome).rejects.toMatchObject({
      code: "InvalidArgument",
      message: "",
      members: { ArgumentName: error.ArgumentName, ArgumentValue: "fake-acl" },
    });
  }
});

describe("encryption and other configurations", () => {
  const put = (rules: object[], name = Bucket) =>
    on.s3.call("PutBucketEncryption", {
      Bucket: name,
      ServerSideEncryptionConfiguration: { Rules: rules },
    });
  const aes = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: true };

  test("test_s3_default_bucket_encryption_exc", async () => {
    const recording = new Recording("settings", "test_s3_default_bucket_encryption_exc");
    const input = { Bucket: missing };
    await recording.expect("get-bucket-enc-no-bucket", on.s3.call("GetBucketEncryption", input));
    await recording.expect("delete-bucket-enc-no-bucket", on.s3.call("DeleteBucketEncryption", input));
    await recording.expect("put-bucket-enc-no-bucket", put([aes], missing));
    await recording.expect("put-bucket-encryption-no-rules", put([]));
    await recording.expect("put-bucket-encryption-two-rules", put([aes, aes]));
    const withKey = { SSEAlgorithm: "AES256", KMSMasterKeyID: "randomkeyid" };
    await recording.expect(
      "put-bucket-encryption-kms-with-aes",
      put([{ ApplyServerSideEncryptionByDefault: withKey, BucketKeyEnabled: true }]),
    );
  });

  test("test_s3_bucket_encryption_sse_s3", async () => {
    const recording = new Recording("settings", "test_s3_bucket_encryption_sse_s3");
    await recording.expect("put-bucket-enc", put([aes]));
    await recording.expect("put-object-encrypted", on.put("key", "test-encrypted"));
    await recording.expect("head-object-encrypted", on.head("key"));
    await recording.expect("get-object-encrypted", on.get("key"));
  });

  test("test_bucket_acceleration_configuration_exc", async () => {
    const recording = new Recording("settings", "test_bucket_acceleration_configuration_exc");
    const accelerate = (Status: string, name = Bucket) =>
      on.s3.call("PutBucketAccelerateConfiguration", {
        Bucket: name,
        AccelerateConfiguration: { Status: Status as "Enabled" },
      });
    await recording.expect("put-bucket-accelerate-config-lowercase", accelerate("enabled"));
    await recording.expect("put-bucket-accelerate-config-random", accelerate("random"));
    await on.s3.call("CreateBucket", { Bucket: "dotted.bucket" });
    await recording.expect("put-bucket-accelerate-config-dot-bucket", accelerate("Enabled", "dotted.bucket"));
  });

  test("test_s3_request_payer_exceptions", async () => {
    const recording = new Recording("settings", "test_s3_request_payer_exceptions");
    const put_ = (Payer: string, name: string) =>
      on.s3.call("PutBucketRequestPayment", {
        Bucket: name,
        RequestPaymentConfiguration: { Payer: Payer as "Requester" },
      });
    await recording.expect("wrong-payer-type", put_("Random", Bucket));
    await recording.expect("wrong-bucket-name", put_("Requester", missing));
  });

  test("what is not there is told as such; what nothing would obey is refused", async () => {
    const website = new Recording("settings", "test_crud_website_configuration");
    await website.expect("get-no-such-website-config", on.s3.call("GetBucketWebsite", { Bucket }));
    await website.expect("del-no-such-website-config", on.s3.call("DeleteBucketWebsite", { Bucket }));
    const logging = new Recording("settings", "test_put_bucket_logging");
    await logging.expect("get-bucket-logging-default", on.s3.call("GetBucketLogging", { Bucket }));
    await logging.expect("get-bucket-default-acl", on.s3.call("GetBucketAcl", { Bucket }));
    const replication = new Recording("settings", "test_replication_config");
    const none = on.s3.call("GetBucketReplication", { Bucket });
    await replication.expect("expected_error_no_replication_set", none);
    const replicate = () =>
      on.s3.call("PutBucketReplication", { Bucket, ReplicationConfiguration: { Role: "r", Rules: [] } });
    await replication.expect("expected_error_versioning_not_enabled", replicate());
    const deletion = on.s3.call("DeleteBucketReplication", { Bucket });
    await replication.expect("delete-bucket-replication-idempotent", deletion);
    const lock = new Recording("settings", "test_put_object_lock_configuration_on_existing_bucket");
    const configuration = on.s3.call("GetObjectLockConfiguration", { Bucket });
    await lock.expect("get-object-lock-existing-bucket-no-config", configuration);
    await on.versioning();
    const index = { Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: "index.html" } } };
    const log = { LoggingEnabled: { TargetBucket: Bucket, TargetPrefix: "log" } };
    for (const refused of [
      replicate(),
      on.s3.call("PutBucketWebsite", index),
      on.s3.call("PutBucketLogging", { Bucket, BucketLoggingStatus: log }),
    ])
      // oxlint-disable-next-line no-await-in-loop
      await expect(refused).rejects.toMatchObject({ code: "NotImplemented", status: 501 });
  });
});
