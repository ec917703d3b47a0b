import type * as client from "@aws-sdk/client-s3";
import type { Handler } from "#wire/operation";
import type { S3Deps } from "../deps.ts";
import { s3Errors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { reviseSettings } from "../settings.ts";
import { requireBucket } from "../store.ts";

type S3 = typeof client;

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

export function corsOperations({ documents }: S3Deps) {
  const PutBucketCors: Handler<S3, "PutBucketCors"> = async (input, call) => {
    requireBucket(documents, call, input);
    const cors = input.CORSConfiguration?.CORSRules ?? [];
    if (cors.length === 0 || cors.length > LIMITS.corsRules) throw s3Errors.malformedXml();
    for (const rule of cors) requireRule(rule);
    await reviseSettings(documents, call, input, () => ({ cors }));
    return {};
  };

  const GetBucketCors: Handler<S3, "GetBucketCors"> = (input, call) => {
    const bucket = requireBucket(documents, call, input).value;
    const { cors } = bucket.settings;
    if (cors === undefined)
      throw s3Errors.noConfiguration(
        "NoSuchCORSConfiguration",
        "The CORS configuration does not exist",
        bucket.name,
      );
    return { CORSRules: [...cors] };
  };

  const DeleteBucketCors: Handler<S3, "DeleteBucketCors"> = async (input, call) => {
    await reviseSettings(documents, call, input, () => ({ cors: undefined }));
    return {};
  };

  return { PutBucketCors, GetBucketCors, DeleteBucketCors };
}

function requireRule({
  AllowedMethods,
  AllowedOrigins,
  AllowedHeaders,
  ExposeHeaders,
}: client.CORSRule): void {
  if (AllowedMethods === undefined || AllowedOrigins === undefined) throw s3Errors.malformedXml();
  for (const method of AllowedMethods)
    if (!METHODS.has(method))
      throw s3Errors.invalidRequest(
        `Found unsupported HTTP method in CORS config. Unsupported method is ${method}`,
      );
  for (const origin of AllowedOrigins)
    if (severalStars(origin))
      throw s3Errors.invalidRequest(`AllowedOrigin "${origin}" can not have more than one wildcard.`);
  for (const header of AllowedHeaders ?? [])
    if (severalStars(header))
      throw s3Errors.invalidRequest(`AllowedHeader "${header}" can not have more than one wildcard.`);
  for (const header of ExposeHeaders ?? [])
    if (header.includes("*"))
      throw s3Errors.invalidRequest(
        `ExposeHeader "${header}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
}

function severalStars(pattern: string): boolean {
  return pattern.indexOf("*") !== pattern.lastIndexOf("*");
}
