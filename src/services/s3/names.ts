import { isIP } from "node:net";
import { s3Errors } from "./errors.ts";
import { LIMITS } from "./limits.ts";

const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const RESERVED = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/** "General purpose bucket naming rules". @throws AwsError InvalidBucketName */
export function requireBucketName(name: string): void {
  const wrong = !NAME.test(name) || name.includes("..") || isIP(name) !== 0 || RESERVED.test(name);
  if (wrong) throw s3Errors.invalidBucketName(name);
}

/** A key may hold any characters; its length counts in UTF-8. @throws AwsError KeyTooLongError */
export function requireKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > LIMITS.keyBytes) throw s3Errors.keyTooLong(bytes);
}
