import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import {
  type Change,
  type Document,
  type Documents,
  type QueueAppend,
  RevisionConflict,
} from "#storage/documents";
import type { ObjectBytes } from "./bytes.ts";
import { s3Errors } from "./errors.ts";
import {
  type BucketDocument,
  type Data,
  type DeleteMarkerDocument,
  findBucket,
  isDeleteMarker,
  keys,
  type ObjectDocument,
  type VersionDocument,
  wholeSeconds,
} from "./store.ts";
import { NEWEST_FIRST, newVersionId, orderOf } from "./version-ids.ts";

/** A version as it is about to be written: id and place are given to it here. */
export type NewObject = Omit<ObjectDocument, "versionId" | "order">;

export interface Put {
  readonly object: NewObject;
  /** Looks at what the key holds now and throws where the write must not happen. */
  readonly check?: (current: ObjectDocument | undefined) => void;
  /** Written in the same commit, whatever version it is going to be. */
  readonly changes?: readonly Change[];
  /** Messages that the write causes. */
  readonly append?: (written: ObjectDocument, bucket: BucketDocument) => readonly QueueAppend[];
}

export interface Deletion {
  /** The version that was deleted or made; absent where there is no versioning. */
  readonly versionId?: string;
  /** Whether that is a delete marker. */
  readonly deleteMarker: boolean;
  /** Whether there was anything to delete. */
  readonly found: boolean;
}

export interface Delete {
  readonly key: string;
  readonly versionId?: string | undefined;
  readonly check?: (current: ObjectDocument | undefined) => void;
  readonly append?: (deletion: Deletion, bucket: BucketDocument) => readonly QueueAppend[];
}

export interface VersionsOptions {
  readonly documents: Documents;
  readonly bytes: ObjectBytes;
  readonly ids: Ids;
  readonly clock: Clock;
}

type Plan = { readonly changes: Change[]; readonly dropped: Data[] };

/**
 * The versions of keys. The current version of a key lies in one range, which lists read; all others, and delete markers,
 * in another, newest first. So a bucket without versioning has one document an object, and lists need not step over
 * what is deleted. Every write depends on the current document's revision and begins again where another came first.
 */
export class Versions {
  readonly #options: VersionsOptions;

  constructor(options: VersionsOptions) {
    this.#options = options;
  }

  current(bucket: BucketDocument, key: string): Document<ObjectDocument> | undefined {
    return this.#options.documents.get<ObjectDocument>(keys.object(bucket, key));
  }

  /** The newest of what is not current: the delete marker that hides a key, where it has no current version. */
  newestBelow(bucket: BucketDocument, key: string): Document<VersionDocument> | undefined {
    const [first] = this.#options.documents.list<VersionDocument>(keys.versionsOfKey(bucket, key), {
      limit: 1,
    });
    return first;
  }

  /** @throws AwsError InvalidArgument where no version can have that id */
  find(bucket: BucketDocument, key: string, versionId: string): Document<VersionDocument> | undefined {
    const current = this.current(bucket, key);
    if (current?.value.versionId === versionId) return current;
    if (versionId === "null") return this.#nullBelow(bucket, key);
    const order = orderOf(versionId);
    if (order === undefined) throw s3Errors.invalidVersionId(versionId);
    const found = this.#options.documents.get<VersionDocument>(keys.version(bucket, key, order));
    return found?.value.versionId === versionId ? found : undefined;
  }

  /** Whether deleting the bucket would lose anything. */
  any(bucket: BucketDocument): "objects" | "versions" | undefined {
    const { documents } = this.#options;
    for (const _ of documents.list(keys.objects(bucket), { limit: 1 })) return "objects";
    for (const _ of documents.list(keys.versions(bucket), { limit: 1 })) return "versions";
    return undefined;
  }

  /** Makes `put.object` the current version. @throws AwsError NoSuchBucket, and what `check` throws */
  put(bucketName: string, key: string, put: Put): Promise<ObjectDocument> {
    return this.#write(bucketName, (bucket) => {
      const current = this.current(bucket, key);
      put.check?.(current?.value);
      const plan: Plan = { changes: [...(put.changes ?? [])], dropped: [] };
      const written = this.#place(bucket, key, put.object, current, plan);
      plan.changes.push({
        key: keys.object(bucket, key),
        value: written,
        expected: current?.revision ?? 0,
      });
      return { plan, append: put.append?.(written, bucket) ?? [], result: written };
    });
  }

  /** Changes a version where it lies: its tags or its ACL. @throws AwsError NoSuchBucket, and what `revise` throws */
  revise(
    bucketName: string,
    find: (bucket: BucketDocument) => Document<ObjectDocument>,
    change: (object: ObjectDocument) => ObjectDocument,
    append?: (object: ObjectDocument, bucket: BucketDocument) => readonly QueueAppend[],
  ): Promise<ObjectDocument> {
    return this.#write(bucketName, (bucket) => {
      const found = find(bucket);
      const value = change(found.value);
      const changes = [{ key: found.key, value, expected: found.revision }];
      return { plan: { changes, dropped: [] }, append: append?.(value, bucket) ?? [], result: value };
    });
  }

  /** Deletes a key, which leaves a delete marker where versions are kept, or one version for good. */
  delete(bucketName: string, deletion: Delete): Promise<Deletion> {
    const { key, versionId } = deletion;
    return this.#write(bucketName, (bucket) => {
      deletion.check?.(this.current(bucket, key)?.value);
      const plan: Plan = { changes: [], dropped: [] };
      const result =
        versionId === undefined
          ? this.#hide(bucket, key, plan)
          : this.#deleteVersion(bucket, key, versionId, plan);
      return { plan, append: deletion.append?.(result, bucket) ?? [], result };
    });
  }

  /** Commits what `decide` makes of the bucket as it is, again where another write came first, then frees the disk. */
  async #write<T>(
    bucketName: string,
    decide: (bucket: BucketDocument) => {
      readonly plan: Plan;
      readonly append: readonly QueueAppend[];
      readonly result: T;
    },
  ): Promise<T> {
    const { documents, bytes } = this.#options;
    for (;;) {
      const bucket = findBucket(documents, bucketName)?.value;
      if (bucket === undefined) throw s3Errors.noSuchBucket(bucketName);
      const { plan, append, result } = decide(bucket);
      const changes = [...plan.changes, ...plan.dropped.map((data) => bytes.dropped(bucket, data))];
      if (changes.length === 0 && append.length === 0) return result;
      try {
        // oxlint-disable-next-line no-await-in-loop -- each turn answers the conflict of the one before
        await documents.commit(changes, append);
      } catch (error) {
        if (error instanceof RevisionConflict) continue;
        throw error;
      }
      bytes.remove(bucket, plan.dropped);
      return result;
    }
  }

  /** Gives a new version its id and place, and takes what it replaces out of the way. */
  #place(
    bucket: BucketDocument,
    key: string,
    object: NewObject,
    current: Document<ObjectDocument> | undefined,
    plan: Plan,
  ): ObjectDocument {
    const { versioning } = bucket.settings;
    if (versioning === undefined) {
      if (current !== undefined) plan.dropped.push(current.value.data);
      return { ...object, versionId: "null" };
    }
    let order = this.#nextOrder(bucket, key);
    if (current !== undefined) {
      if (versioning === "Suspended" && current.value.versionId === "null")
        plan.dropped.push(current.value.data);
      else order = this.#moveBelow(bucket, key, current.value, order, plan);
    }
    if (versioning === "Suspended") this.#dropNullBelow(bucket, key, plan);
    const versionId = versioning === "Suspended" ? "null" : newVersionId(order, this.#options.ids);
    return { ...object, versionId, order };
  }

  /** Files the current version among the others; returns the place before it. */
  #moveBelow(bucket: BucketDocument, key: string, current: ObjectDocument, free: number, plan: Plan): number {
    const order = current.order ?? free;
    plan.changes.push({
      key: keys.version(bucket, key, order),
      value: { ...current, order },
      expected: 0,
    });
    return order - 1;
  }

  /** A place before all that have been filed. */
  #nextOrder(bucket: BucketDocument, key: string): number {
    const below = this.newestBelow(bucket, key)?.value.order;
    return below === undefined ? NEWEST_FIRST : below - 1;
  }

  #nullBelow(bucket: BucketDocument, key: string): Document<VersionDocument> | undefined {
    for (const document of this.#options.documents.list<VersionDocument>(keys.versionsOfKey(bucket, key)))
      if (document.value.versionId === "null") return document;
    return undefined;
  }

  #dropNullBelow(bucket: BucketDocument, key: string, plan: Plan): void {
    const found = this.#nullBelow(bucket, key);
    if (found === undefined) return;
    plan.changes.push({ key: found.key, delete: true, expected: found.revision });
    if (!isDeleteMarker(found.value)) plan.dropped.push(found.value.data);
  }

  #hide(bucket: BucketDocument, key: string, plan: Plan): Deletion {
    const current = this.current(bucket, key);
    const { versioning } = bucket.settings;
    const expected = current?.revision ?? 0;
    if (versioning === undefined) {
      if (current === undefined) return { deleteMarker: false, found: false };
      plan.changes.push({ key: current.key, delete: true, expected });
      plan.dropped.push(current.value.data);
      return { deleteMarker: false, found: true };
    }
    let order = this.#nextOrder(bucket, key);
    if (current !== undefined) {
      if (versioning === "Suspended" && current.value.versionId === "null")
        plan.dropped.push(current.value.data);
      else order = this.#moveBelow(bucket, key, current.value, order, plan);
    }
    // Also where there is none: nothing may become current beside the marker.
    plan.changes.push({ key: keys.object(bucket, key), delete: true, expected });
    if (versioning === "Suspended") this.#dropNullBelow(bucket, key, plan);
    const versionId = versioning === "Suspended" ? "null" : newVersionId(order, this.#options.ids);
    const marker: DeleteMarkerDocument = {
      versionId,
      order,
      modified: wholeSeconds(this.#options.clock.now()),
      deleteMarker: true,
    };
    plan.changes.push({ key: keys.version(bucket, key, order), value: marker, expected: 0 });
    return { versionId, deleteMarker: true, found: current !== undefined };
  }

  #deleteVersion(bucket: BucketDocument, key: string, versionId: string, plan: Plan): Deletion {
    const found = this.find(bucket, key, versionId);
    if (found === undefined) return { versionId, deleteMarker: false, found: false };
    const current = this.current(bucket, key);
    plan.changes.push({ key: found.key, delete: true, expected: found.revision });
    if (!isDeleteMarker(found.value)) plan.dropped.push(found.value.data);
    const wasCurrent =
      found.revision === current?.revision && found.value.versionId === current.value.versionId;
    if (wasCurrent || current === undefined) this.#promote(bucket, key, found, wasCurrent, plan);
    return { versionId, deleteMarker: isDeleteMarker(found.value), found: true };
  }

  /** Makes the newest version that is left the current one, where it is no delete marker. */
  #promote(
    bucket: BucketDocument,
    key: string,
    deleted: Document<VersionDocument>,
    wasCurrent: boolean,
    plan: Plan,
  ): void {
    const below = this.#options.documents.list<VersionDocument>(keys.versionsOfKey(bucket, key), {
      limit: 2,
    });
    const newest = Array.from(below).find(({ value }) => wasCurrent || value.order !== deleted.value.order);
    if (newest === undefined || isDeleteMarker(newest.value)) return;
    plan.changes.push({ key: newest.key, delete: true, expected: newest.revision });
    const object = keys.object(bucket, key);
    if (wasCurrent)
      plan.changes.splice(0, 1, { key: object, value: newest.value, expected: deleted.revision });
    else plan.changes.push({ key: object, value: newest.value, expected: 0 });
  }
}
