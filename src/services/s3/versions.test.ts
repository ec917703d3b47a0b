import * as fc from "fast-check";
import { expect, it } from "vitest";
import { createS3Fixture, failure, textOf } from "../../../test/support/s3-service.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { orderOf } from "./version-ids.ts";

const storage = withStorage();

type Step =
  | { readonly do: "put" }
  | { readonly do: "delete" }
  | { readonly do: "suspend" }
  | { readonly do: "enable" }
  | { readonly do: "delete-version"; readonly at: number };

interface Version {
  readonly id: string;
  /** Undefined for a delete marker. */
  readonly text: string | undefined;
}

/** What a key's versions are, newest first ("How S3 Versioning works"). */
class Model {
  versions: Version[] = [];
  state: "Enabled" | "Suspended" | undefined;

  add(id: string, text: string | undefined): void {
    if (id === "null") this.versions = this.versions.filter((version) => version.id !== "null");
    this.versions.unshift({ id, text });
  }

  remove(id: string): void {
    this.versions = this.versions.filter((version) => version.id !== id);
  }
}

it("keeps the versions that S3 would keep, and no bytes besides", async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.record({ do: fc.constantFrom("put", "put", "delete", "suspend", "enable") }),
    fc.record({ do: fc.constant("delete-version" as const), at: fc.nat(5) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      await storage().reset();
      const s3 = createS3Fixture(storage());
      const [Bucket, Key] = ["versioned", "key"];
      await s3.call("CreateBucket", { Bucket });
      const model = new Model();
      for (const [index, action] of steps.entries()) await take(action, `text ${index}`);

      async function take(action: Step, text: string): Promise<void> {
        if (action.do === "enable" || action.do === "suspend") {
          model.state = action.do === "enable" ? "Enabled" : "Suspended";
          const VersioningConfiguration = { Status: model.state };
          await s3.call("PutBucketVersioning", { Bucket, VersioningConfiguration });
        } else if (action.do === "put") {
          const { VersionId = "null" } = await s3.call("PutObject", { Bucket, Key, Body: text });
          model.add(VersionId, text);
        } else if (action.do === "delete") {
          const { VersionId, DeleteMarker } = await s3.call("DeleteObject", { Bucket, Key });
          if (model.state === undefined) model.remove("null");
          else {
            expect(DeleteMarker).toBe(true);
            model.add(VersionId ?? "", undefined);
          }
        } else if (action.do === "delete-version") {
          const version = model.versions[action.at];
          if (version === undefined) return;
          await s3.call("DeleteObject", { Bucket, Key, VersionId: version.id });
          model.remove(version.id);
        }
      }

      const listed = await s3.call("ListObjectVersions", { Bucket });
      const found = [...(listed.Versions ?? []), ...(listed.DeleteMarkers ?? [])];
      expect(found).toHaveLength(model.versions.length);
      expect(new Set(found.map(({ VersionId }) => VersionId))).toEqual(
        new Set(model.versions.map(({ id }) => id)),
      );
      expect(found.filter(({ IsLatest }) => IsLatest).map(({ VersionId }) => VersionId)).toEqual(
        model.versions.slice(0, 1).map(({ id }) => id),
      );
      for (const { id, text } of model.versions) {
        const got = s3.call("GetObject", { Bucket, Key, VersionId: id });
        if (text === undefined) expect(await failure(got)).toMatchObject({ status: 405 });
        else expect(await textOf(await got)).toBe(text);
      }
      const [latest] = model.versions;
      const current = s3.call("GetObject", { Bucket, Key });
      if (latest?.text === undefined) expect(await failure(current)).toMatchObject({ code: "NoSuchKey" });
      else expect(await textOf(await current)).toBe(latest.text);
      await s3.service.stop(0);
      let stored = 0;
      for await (const _ of storage().objects.list()) stored += 1;
      expect(stored).toBe(model.versions.filter(({ text }) => text !== undefined).length);
      expect(s3.problems).toEqual([]);
    }),
    { numRuns: 25 },
  );
}, 60_000);

it("reads no place out of an id that no version ever had", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ minLength: 32, maxLength: 32 })), (id) => {
      expect(orderOf(id)).toBeUndefined();
    }),
  );
  expect(orderOf("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD")).toBeUndefined();
});
