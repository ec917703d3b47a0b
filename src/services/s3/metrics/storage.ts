import { setImmediate as nextTurn } from "node:timers/promises";
import type { Timer } from "#core/clock";
import type { DocumentKey } from "#storage/documents";
import type { S3Options } from "../deps.ts";
import { type BucketDocument, isDeleteMarker, keys, type VersionDocument } from "../store.ts";

const DAY_MS = 86_400_000;
/** Documents that are looked at in one turn of the event loop. */
const TURN = 500;

/** When the last day was reported: epoch milliseconds of its midnight. */
const REPORTED: DocumentKey = ["platform", "global", "s3-storage-metrics"];

/** Storage classes as metrics name them (user guide, "Metrics and dimensions"). */
const STORAGE_TYPES: Readonly<Record<string, string>> = {
  STANDARD: "StandardStorage",
  STANDARD_IA: "StandardIAStorage",
  ONEZONE_IA: "OneZoneIAStorage",
  REDUCED_REDUNDANCY: "ReducedRedundancyStorage",
  INTELLIGENT_TIERING: "IntelligentTieringFAStorage",
  GLACIER: "GlacierStorage",
  GLACIER_IR: "GlacierInstantRetrievalStorage",
  DEEP_ARCHIVE: "DeepArchiveStorage",
};

/** Tells CloudWatch once a day, by UTC, how much each bucket holds: all versions of its objects. */
export class StorageMetrics {
  readonly #options: S3Options;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: S3Options) {
    this.#options = options;
  }

  /** Reports today where nobody has, and then each day when it begins. */
  start(): void {
    if (this.#stopped || this.#options.metrics === undefined) return;
    const { clock, onError } = this.#options;
    this.#running = this.report()
      .catch(onError)
      .finally(() => {
        const now = clock.now();
        if (!this.#stopped) this.#timer = clock.after(dayOf(now) + DAY_MS - now, () => this.start());
      });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /** Reports today, once. */
  async report(): Promise<void> {
    const { documents, clock } = this.#options;
    const today = dayOf(clock.now());
    if ((documents.get<number>(REPORTED)?.value ?? 0) >= today) return;
    for (const { key } of Array.from(documents.list(keys.places))) {
      const place = { account: String(key[3]), region: String(key[4]) };
      for (const { value: bucket } of Array.from(documents.list<BucketDocument>(keys.buckets(place)))) {
        await this.#bucket(bucket, today);
        // Whoever starts next reports the day.
        if (this.#stopped) return;
      }
    }
    await documents.commit([{ key: REPORTED, value: today }]);
  }

  async #bucket(bucket: BucketDocument, time: number): Promise<void> {
    let count = 0;
    const bytes = new Map<string, number>();
    for (const parent of [keys.objects(bucket), keys.versions(bucket)])
      for await (const version of this.#versions(parent)) {
        count++;
        if (isDeleteMarker(version)) continue;
        const type = STORAGE_TYPES[version.storageClass] ?? "StandardStorage";
        bytes.set(type, (bytes.get(type) ?? 0) + version.size);
      }
    // An empty bucket has no metrics, as in AWS; one that was not read to its end is not told of.
    if (count === 0 || this.#stopped) return;
    for (const [type, size] of bytes) this.#record(bucket, "BucketSizeBytes", "Bytes", type, size, time);
    this.#record(bucket, "NumberOfObjects", "Count", "AllStorageTypes", count, time);
  }

  async *#versions(parent: DocumentKey): AsyncGenerator<VersionDocument> {
    let after: DocumentKey | undefined;
    for (;;) {
      const options = { limit: TURN, ...(after === undefined ? {} : { after }) };
      const page = Array.from(this.#options.documents.list<VersionDocument>(parent, options));
      for (const { value } of page) yield value;
      if (page.length < TURN || this.#stopped) return;
      after = page.at(-1)?.key;
      await nextTurn();
    }
  }

  #record(
    { account, region, name: BucketName }: BucketDocument,
    name: string,
    unit: string,
    StorageType: string,
    value: number,
    time: number,
  ): void {
    const dimensions = { BucketName, StorageType };
    this.#options.metrics
      ?.series({ account, region, namespace: "AWS/S3", name, unit, dimensions })
      .record(value, time);
  }
}

function dayOf(time: number): number {
  return Math.floor(time / DAY_MS) * DAY_MS;
}
