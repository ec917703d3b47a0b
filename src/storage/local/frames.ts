import { crc32 } from "node:zlib";

import { readBlock, type JournalRecord, type StoredRecord } from "../journal.ts";
import { readU64, u64 } from "./tuple.ts";

/** Length and CRC-32 of what follows them. */
const HEADER = 8;
/** Where in its content a frame's records begin: behind stream id and first sequence. */
const RECORDS = 16;

/** A frame: u32 length, u32 CRC-32, u64 stream id, u64 first sequence, then records of u64 time, u32 length, body. */
export function encodeFrame(
  stream: number,
  firstSequence: number,
  records: readonly JournalRecord[],
): Buffer {
  const parts: Uint8Array[] = [Buffer.alloc(HEADER), u64(stream, firstSequence)];
  for (const { time, body } of records) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    parts.push(u64(time), length, body);
  }
  const frame = Buffer.concat(parts);
  frame.writeUInt32BE(frame.length - HEADER, 0);
  frame.writeUInt32BE(crc32(frame.subarray(HEADER)), 4);
  return frame;
}

/** @throws Error where the frame is damaged or of another stream. */
export function decodeFrame(
  frame: Buffer<ArrayBuffer>,
  stream: number,
  firstSequence: number,
): StoredRecord[] {
  return [...readBlock({ firstSequence, bytes: recordsOf(frame, stream, firstSequence) })];
}

/** The records of a frame, as a `RecordBlock` holds them. @throws Error where it is damaged or of another stream */
export function recordsOf(
  frame: Buffer<ArrayBuffer>,
  stream: number,
  firstSequence: number,
): Buffer<ArrayBuffer> {
  const content = frame.subarray(HEADER);
  const whole =
    frame.length > HEADER &&
    frame.readUInt32BE(0) === content.length &&
    frame.readUInt32BE(4) === crc32(content);
  if (!whole || readU64(content, 0) !== stream || readU64(content, 8) !== firstSequence)
    throw new Error(`journal frame ${firstSequence} of stream ${stream} is damaged`);
  return content.subarray(RECORDS);
}
