import { s3Errors } from "./errors.ts";

/** The bytes [start, end). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const FORM = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * The part of an object of `size` bytes that a Range header asks for; `undefined` where it asks for all, which is also
 * what S3 takes of a header that it cannot read, of several ranges and of one that ends before it starts (recorded).
 * @throws AwsError InvalidRange
 */
export function readRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, first = "", last = ""] = FORM.exec(header ?? "") ?? [];
  if (header === undefined || (first === "" && last === "")) return undefined;
  if (first === "") {
    const length = Math.min(Number(last), size);
    if (length === 0) throw s3Errors.invalidRange(header, size);
    return { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) throw s3Errors.invalidRange(header, size);
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** Such as `bytes 0-8/10`. */
export function contentRange({ start, end }: ByteRange, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`;
}

const COPY_FORM = /^bytes=(\d{1,15})-(\d{1,15})$/;

/** The part of its source that UploadPartCopy copies. @throws AwsError InvalidArgument, InvalidRequest */
export function readCopyRange(header: string | undefined, size: number): ByteRange {
  if (header === undefined) return { start: 0, end: size };
  const [, first = "", last = ""] = COPY_FORM.exec(header) ?? [];
  const name = "x-amz-copy-source-range";
  if (first === "" || Number(last) < Number(first))
    throw s3Errors.invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      name,
      header,
    );
  const [start, end] = [Number(first), Number(last) + 1];
  if (start >= size)
    throw s3Errors.invalidRequest("The specified copy range is invalid for the source object size");
  if (end > size)
    throw s3Errors.invalidArgument(
      `Range specified is not valid for source object of size: ${size}`,
      name,
      header,
    );
  return { start, end };
}
