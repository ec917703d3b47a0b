/** Bodies of up to this many bytes are read whole even where they might stream: one buffer costs less than a stream. */
const SMALL_BYTES = 64 * 1024;

/**
 * Whether a request's body should be handed on as a stream: an upload to S3, which may be larger than memory. Looks at
 * no more than the method of all other requests.
 */
export function streamsBody(
  method: string,
  url: string,
  headers: Readonly<Record<string, string | undefined>>,
): boolean {
  if (method !== "PUT") return false;
  const length = headers["content-length"];
  if (length !== undefined && Number(length) <= SMALL_BYTES) return false;
  return headers["authorization"]?.includes("/s3/aws4_request") === true || PRESIGNED_FOR_S3.test(url);
}

const PRESIGNED_FOR_S3 = /X-Amz-Credential=[^&]*(?:%2F|\/)s3(?:%2F|\/)aws4_request/i;
