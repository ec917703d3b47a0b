import { GetObjectCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  IdempotencyItemAlreadyExistsError,
  IdempotencyItemNotFoundError,
  IdempotencyRecordStatus,
} from "@aws-lambda-powertools/idempotency";
import { BasePersistenceLayer, IdempotencyRecord } from "@aws-lambda-powertools/idempotency/persistence";

/**
 * Keeps the records of Powertools' idempotency as objects of a bucket. Conditional writes decide which of several
 * invocations goes first: `If-None-Match: *` where there is no record, `If-Match` where one has expired.
 */
export class S3PersistenceLayer extends BasePersistenceLayer {
  #bucket;
  #client;

  constructor({ bucket, client = new S3Client({ forcePathStyle: true }) }) {
    super();
    this.#bucket = bucket;
    this.#client = client;
  }

  async _putRecord(record) {
    if (await this.#put(record, { IfNoneMatch: "*" })) return;
    const found = await this.#get(record.idempotencyKey);
    // What was there a moment ago may be gone: whoever removed it had failed, and this try is the next.
    const condition = found === undefined ? { IfNoneMatch: "*" } : { IfMatch: found.tag };
    if ((found === undefined || isOver(found.record)) && (await this.#put(record, condition))) return;
    throw new IdempotencyItemAlreadyExistsError(
      `There is a record of ${record.idempotencyKey}`,
      found?.record ?? (await this._getRecord(record.idempotencyKey)),
    );
  }

  async _getRecord(idempotencyKey) {
    const found = await this.#get(idempotencyKey);
    if (found === undefined) throw new IdempotencyItemNotFoundError();
    return found.record;
  }

  async _updateRecord(record) {
    await this.#put(record, {});
  }

  async _deleteRecord({ idempotencyKey }) {
    await this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: idempotencyKey }));
  }

  /** Answers false where the condition does not hold. */
  async #put(record, condition) {
    const Body = JSON.stringify(record);
    const input = { Bucket: this.#bucket, Key: record.idempotencyKey, Body, ...condition };
    try {
      await this.#client.send(new PutObjectCommand(input));
      return true;
    } catch (error) {
      if (["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"].includes(error.name)) return false;
      throw error;
    }
  }

  async #get(Key) {
    try {
      const { Body, ETag } = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key }));
      return { record: new IdempotencyRecord(JSON.parse(await Body.transformToString())), tag: ETag };
    } catch (error) {
      if (error.name === "NoSuchKey") return undefined;
      throw error;
    }
  }
}

/** Whether a record no longer stands in the way: it is too old, or its invocation ended without a word. */
function isOver(record) {
  const { inProgressExpiryTimestamp: until } = record;
  if (record.getStatus() === IdempotencyRecordStatus.EXPIRED) return true;
  return (
    record.getStatus() === IdempotencyRecordStatus.INPROGRESS && until !== undefined && until < Date.now()
  );
}
