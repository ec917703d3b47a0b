import { setImmediate as nextTurn } from "node:timers/promises";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import type { Timer } from "#core/clock";
import { AwsError } from "#core/errors";
import { servicePrincipal } from "#core/principal";
import type { Document, DocumentKey } from "#storage/documents";
import type { S3Deps } from "../deps.ts";
import type { EventName } from "../notifications/events.ts";
import {
  type BucketDocument,
  bucketArn,
  isDeleteMarker,
  keys,
  type ObjectDocument,
  type VersionDocument,
} from "../store.ts";
import type { UploadDocument } from "../uploads.ts";
import { concerns, firstExpiry, midnightAfter, prefixOf, transitionOf } from "./rules.ts";

const INTERVAL_MS = 3_600_000;
/** Documents that are looked at in one turn of the event loop. */
const TURN = 200;

/** The object is no longer the one that was found to be due. */
class Moved extends Error {}

/** Does what lifecycle rules say, bucket by bucket, in the background. S3 does so once a day; here it is every hour. */
export class LifecycleSweep {
  readonly #deps: S3Deps;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: S3Deps) {
    this.#deps = deps;
  }

  /** Sweeps now and then every hour. */
  start(): void {
    if (this.#stopped) return;
    void this.run()
      .catch(this.#deps.onError)
      .finally(() => {
        if (!this.#stopped) this.#timer = this.#deps.clock.after(INTERVAL_MS, () => this.start());
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running?.catch(() => undefined);
  }

  /** One sweep over all buckets. */
  run(): Promise<void> {
    this.#running ??= this.#sweep().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #sweep(): Promise<void> {
    const { documents } = this.#deps;
    for (const { key } of Array.from(documents.list(keys.places))) {
      const place = { account: String(key[3]), region: String(key[4]) };
      const buckets = Array.from(documents.list<BucketDocument>(keys.buckets(place)), ({ value }) => value);
      for (const bucket of buckets) {
        const rules = (bucket.settings.lifecycle ?? []).filter(({ Status }) => Status === "Enabled");
        if (rules.length === 0) continue;
        await this.#currentVersions(bucket, rules);
        if (bucket.settings.versioning !== undefined) await this.#otherVersions(bucket, rules);
        await this.#uploads(bucket, rules);
      }
    }
  }

  async #currentVersions(bucket: BucketDocument, rules: readonly LifecycleRule[]): Promise<void> {
    if (rules.every((rule) => rule.Expiration === undefined && rule.Transitions === undefined)) return;
    const now = this.#deps.clock.now();
    for await (const { key: at, value: object } of this.#rows<ObjectDocument>(keys.objects(bucket))) {
      const key = String(at.at(-1));
      const expiry = firstExpiry(bucket, key, object);
      if (expiry !== undefined && expiry.at <= now) {
        await this.#ignoreMoved(this.#expire(bucket, key, object));
        continue;
      }
      const storageClass = transitionOf(bucket, key, object, now);
      if (storageClass === undefined) continue;
      await this.#ignoreMoved(
        this.#deps.versions.revise(
          bucket.name,
          (of) => same(this.#deps.versions.current(of, key), object),
          (current) => ({ ...current, storageClass }),
        ),
      );
    }
  }

  #expire(bucket: BucketDocument, key: string, object: ObjectDocument): Promise<unknown> {
    return this.#deps.versions.delete(bucket.name, {
      key,
      check: (current) => {
        if (current?.versionId !== object.versionId || current.modified !== object.modified)
          throw new Moved();
      },
      append: ({ versionId, deleteMarker }, of) =>
        this.#messages(
          of,
          deleteMarker ? "LifecycleExpiration:DeleteMarkerCreated" : "LifecycleExpiration:Delete",
          key,
          versionId,
        ),
    });
  }

  /** Versions under the current one, and delete markers that hide nothing any more. */
  async #otherVersions(bucket: BucketDocument, rules: readonly LifecycleRule[]): Promise<void> {
    const { versions, clock } = this.#deps;
    const now = clock.now();
    let last: { readonly key: string; readonly modified: number } | undefined;
    let noncurrent = 0;
    for await (const { key: at, value: version } of this.#rows<VersionDocument>(keys.versions(bucket))) {
      const key = String(at.at(-2));
      if (last?.key !== key) {
        const current = versions.current(bucket, key)?.value;
        last = current === undefined ? undefined : { key, modified: current.modified };
        noncurrent = 0;
      }
      // It became noncurrent when the next newer one was made.
      const since = last?.modified;
      const due =
        since === undefined
          ? isDeleteMarker(version) && this.#markerIsDone(bucket, rules, key, version.modified, now)
          : rules.some((rule) => noncurrentIsDue(rule, key, version, { since, newer: noncurrent, now }));
      if (since !== undefined) noncurrent += 1;
      last = { key, modified: version.modified };
      if (!due) continue;
      await versions.delete(bucket.name, {
        key,
        versionId: version.versionId,
        append: (_, of) => this.#messages(of, "LifecycleExpiration:Delete", key, version.versionId),
      });
    }
  }

  /** A delete marker with no version under it, where a rule cleans such up. */
  #markerIsDone(
    bucket: BucketDocument,
    rules: readonly LifecycleRule[],
    key: string,
    modified: number,
    now: number,
  ): boolean {
    const rows = this.#deps.documents.list(keys.versionsOfKey(bucket, key), { limit: 2 });
    if (Array.from(rows).length > 1) return false;
    return rules.some((rule) => {
      const { ExpiredObjectDeleteMarker: wanted, Days } = rule.Expiration ?? {};
      if (!concerns(rule, key, { size: 0 })) return false;
      return wanted === true || (Days !== undefined && midnightAfter(modified, Days) <= now);
    });
  }

  async #uploads(bucket: BucketDocument, rules: readonly LifecycleRule[]): Promise<void> {
    const { documents, bytes, clock } = this.#deps;
    const now = clock.now();
    for await (const { key: at, value } of this.#rows<UploadDocument>(keys.uploads(bucket))) {
      const key = String(at.at(-2));
      const due = rules.some((rule) => {
        const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
        if (days === undefined || !key.startsWith(prefixOf(rule))) return false;
        return midnightAfter(value.initiated, days) <= now;
      });
      if (!due) continue;
      const data = { kind: "parts", upload: String(at.at(-1)), count: 0 } as const;
      await documents.commit([{ key: at, delete: true }, bytes.dropped(bucket, data)]);
      bytes.remove(bucket, [data]);
    }
  }

  /** Documents under a prefix, some a turn, whatever is deleted on the way. */
  async *#rows<T>(prefix: DocumentKey): AsyncGenerator<Document<T>> {
    let after: DocumentKey | undefined;
    for (;;) {
      if (this.#stopped) return;
      const options = { limit: TURN, ...(after === undefined ? {} : { after }) };
      const page = Array.from(this.#deps.documents.list<T>(prefix, options));
      yield* page;
      after = page.at(-1)?.key;
      if (page.length < TURN) return;
      await nextTurn();
    }
  }

  #messages(bucket: BucketDocument, name: EventName, key: string, versionId: string | undefined) {
    const principal = servicePrincipal("s3.amazonaws.com", {
      account: bucket.account,
      sourceArn: bucketArn(bucket),
    });
    const cause = { requestId: this.#deps.ids.uuid(), principal, headers: {} };
    const shown = versionId === "null" ? undefined : versionId;
    return this.#deps.events.messages(bucket, { name, key, versionId: shown }, cause);
  }

  /** Whoever changed the object, or removed the bucket, came first. */
  async #ignoreMoved(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      if (error instanceof Moved || (error instanceof AwsError && error.code === "NoSuchBucket")) return;
      throw error;
    });
  }
}

function same(found: Document<ObjectDocument> | undefined, object: ObjectDocument): Document<ObjectDocument> {
  if (found?.value.versionId !== object.versionId || found.value.modified !== object.modified)
    throw new Moved();
  return found;
}

function noncurrentIsDue(
  rule: LifecycleRule,
  key: string,
  version: VersionDocument,
  { since, newer, now }: { readonly since: number; readonly newer: number; readonly now: number },
): boolean {
  const { NoncurrentDays: days, NewerNoncurrentVersions: kept = 0 } = rule.NoncurrentVersionExpiration ?? {};
  if (days === undefined || newer < kept) return false;
  const subject = isDeleteMarker(version) ? { size: 0 } : version;
  return concerns(rule, key, subject) && midnightAfter(since, days) <= now;
}
