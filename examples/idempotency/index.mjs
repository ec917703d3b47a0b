import { randomUUID } from "node:crypto";
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency";
import { S3PersistenceLayer } from "./s3-persistence.mjs";

const persistenceStore = new S3PersistenceLayer({ bucket: process.env.IDEMPOTENCY_BUCKET });
const config = new IdempotencyConfig({
  eventKeyJmesPath: "orderId",
  payloadValidationJmesPath: "amount",
  throwOnNoIdempotencyKey: true,
});

/** Takes a payment once for each order, however often it is invoked. */
export const handler = makeIdempotent(
  async ({ orderId, amount }) => {
    if (amount <= 0) throw new RangeError(`order ${orderId} cannot cost ${amount}`);
    console.log("paying for", orderId);
    return { paymentId: randomUUID(), amount };
  },
  { persistenceStore, config },
);
