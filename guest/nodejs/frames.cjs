// Reading and writing frames (guest/PROTOCOL.md). Both directions block on purpose: between two events an execution
// environment is frozen in AWS, so no timer or socket of the function may run then, and a log line must have left the
// process before the next statement, which may kill it. It is also the shortest way: no poll, no thread, no promise.
"use strict";

const { openSync, read, readSync, writeSync } = require("node:fs");

const INIT = 0x01;
const INVOKE = 0x02;
const SHUTDOWN = 0x03;
const CREDIT = 0x04;
const HELLO = 0x81;
const INIT_DONE = 0x82;
const INIT_ERROR = 0x83;
const RESPONSE = 0x84;
const ERROR = 0x85;
const LOG = 0x86;
const RESPONSE_START = 0x88;
const RESPONSE_CHUNK = 0x89;
const RESPONSE_END = 0x8a;
const RETURNED = 0x8b;
const LATE_LOG = 0x8c;

/** The most bytes a frame may hold after its length field. */
const FRAME_LIMIT = 32 * 1024 * 1024;

const INPUT = 3;
const OUTPUT = 4;
const RECALLS = 9;
const POOL = 64 * 1024;

const input = Buffer.allocUnsafeSlow(POOL);
let inputStart = 0;
let inputEnd = 0;
const output = Buffer.allocUnsafeSlow(POOL);

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Runs a system call until the descriptor is ready; only a platform that hands over a non-blocking one gets here twice. */
function whenReady(call) {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (error.code !== "EAGAIN" && error.code !== "EINTR") throw error;
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}

/** Reads at least `wanted` bytes into `target`. @returns the new end, or -1 at the end of the stream */
function fill(target, start, end, wanted) {
  let filled = end;
  while (filled - start < wanted) {
    const read = whenReady(() => readSync(INPUT, target, filled, target.length - filled, null));
    if (read === 0) return -1;
    filled += read;
  }
  return filled;
}

/** Makes room behind what was not looked at yet. */
function dropRead() {
  if (inputStart === 0) return;
  input.copyWithin(0, inputStart, inputEnd);
  inputEnd -= inputStart;
  inputStart = 0;
}

/**
 * Waits for the next frame. Its bytes are valid until the next call.
 * @returns `{type, body(), header(), payload()}` with the parts as text, or undefined when the platform has gone
 */
function nextFrame() {
  dropRead();
  inputEnd = fill(input, 0, inputEnd, 5);
  if (inputEnd < 0) return undefined;
  const length = input.readUInt32BE(0);
  if (length < 1 || length > FRAME_LIMIT) throw new Error(`a frame of ${length} bytes`);
  const type = input[4];
  if (4 + length <= POOL) {
    inputEnd = fill(input, 0, inputEnd, 4 + length);
    if (inputEnd < 0) return undefined;
    inputStart = 4 + length;
    return new Frame(type, input, 5, 4 + length);
  }
  const large = Buffer.allocUnsafeSlow(length - 1);
  input.copy(large, 0, 5, inputEnd);
  const end = fill(large, 0, inputEnd - 5, length - 1);
  inputEnd = 0;
  return end < 0 ? undefined : new Frame(type, large, 0, length - 1);
}

let reading = false;
let resting;

/**
 * Reads a small frame without holding up the event loop and calls back with it: the one case in which the guest reads while
 * a handler runs, because its response waits for credit. Not called back where `whenInputRests` came first.
 */
function readFrameLater(then) {
  dropRead();
  if (inputEnd >= 4 && inputEnd >= 4 + input.readUInt32BE(0)) return then(nextFrame());
  reading = true;
  readMore(then);
}

function readMore(then) {
  read(INPUT, input, inputEnd, POOL - inputEnd, null, (error, bytes) => {
    if (error?.code === "EAGAIN" || error?.code === "EINTR") return setTimeout(readMore, 1, then);
    if (error !== null) throw error;
    // The platform has gone.
    if (bytes === 0) process.exit(0);
    inputEnd += bytes;
    reading = false;
    if (resting === undefined) return readFrameLater(then);
    const waiting = resting;
    resting = undefined;
    waiting();
  });
}

/** Calls back when nothing reads in the background any more; the platform sends a frame after every streamed response. */
function whenInputRests(then) {
  if (reading) resting = then;
  else then();
}

class Frame {
  constructor(type, bytes, start, end) {
    this.type = type;
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  number() {
    return this.bytes.readUInt32BE(this.start);
  }

  body() {
    return this.bytes.utf8Slice(this.start, this.end);
  }

  header() {
    const from = this.start + 4;
    return JSON.parse(this.bytes.utf8Slice(from, from + this.bytes.readUInt32BE(this.start)));
  }

  payload() {
    return this.bytes.utf8Slice(this.start + 4 + this.bytes.readUInt32BE(this.start), this.end);
  }
}

const oneByte = Buffer.allocUnsafeSlow(1);

/**
 * Whether the event that was given ahead as this one of all such, counted from 0, is not to be begun any more. The file has
 * no bytes but those that its length implies: this costs a microsecond, and sees what the platform did before it.
 */
function isRecalled(number) {
  return readSync(RECALLS, oneByte, 0, 1, number) === 1;
}

function send(bytes, length) {
  let sent = 0;
  while (sent < length) sent += whenReady(() => writeSync(OUTPUT, bytes, sent, length - sent));
}

function begin(type, length) {
  const bytes = 4 + length <= POOL ? output : Buffer.allocUnsafeSlow(4 + length);
  bytes.writeUInt32BE(length, 0);
  bytes[4] = type;
  return bytes;
}

/** Writes a frame whose body is text. */
function writeFrame(type, text = "") {
  const length = 1 + Buffer.byteLength(text);
  const bytes = begin(type, length);
  bytes.utf8Write(text, 5);
  send(bytes, 4 + length);
}

function writeJson(type, value) {
  writeFrame(type, JSON.stringify(value));
}

/** Writes a frame whose body is `bytes` from `start` to `end`. */
function writeBytes(type, bytes, start, end) {
  const frame = begin(type, 1 + end - start);
  bytes.copy(frame, 5, start, end);
  send(frame, 5 + end - start);
}

/** Of what is logged from now on: between two events it is of neither. */
let logType = LOG;

/** An event begins. */
function beginsEvent() {
  logType = LOG;
}

/** Writes a headed frame. @param payload text or bytes @returns false, with nothing written, when it exceeds the limit */
function writeHeaded(type, header, payload) {
  const head = JSON.stringify(header);
  const headLength = Buffer.byteLength(head);
  const text = typeof payload === "string";
  const length = 5 + headLength + (text ? Buffer.byteLength(payload) : payload.length);
  if (length > FRAME_LIMIT) return false;
  const bytes = begin(type, length);
  bytes.writeUInt32BE(headLength, 5);
  bytes.utf8Write(head, 9);
  if (text) bytes.utf8Write(payload, 9 + headLength);
  else payload.copy(bytes, 9 + headLength);
  send(bytes, 4 + length);
  if (type === RESPONSE || type === ERROR || type === RESPONSE_END) logType = LATE_LOG;
  return true;
}

/** Lambda keeps 256 KB of a log event; a longer one is cut far above that so that a frame can always hold it. */
const LOG_LIMIT = 4 * 1024 * 1024;

/** Writes one log event. @param time epoch milliseconds */
function writeLog(time, message) {
  const text = message.length > LOG_LIMIT ? message.slice(0, LOG_LIMIT) : message;
  const length = 9 + Buffer.byteLength(text);
  const bytes = begin(logType, length);
  bytes.writeUInt32BE(Math.floor(time / 0x1_0000_0000), 5);
  bytes.writeUInt32BE(time >>> 0, 9);
  bytes.utf8Write(text, 13);
  send(bytes, 4 + length);
}

// Linux carries the peak of the process that forked us into our own rusage (exec_mmap keeps hiwater_rss), so a small
// function spawned by a large platform would seem to use the platform's memory. Until our own peak exceeds what was
// inherited, the kernel's per-address-space figure is read instead.
const inheritedPeak = process.resourceUsage().maxRSS;
let statusFile;
/** Asking the kernel costs more than a microsecond, a tenth of a short event, and its own file some 25: once in so many ms is enough. */
const USAGE_IS_GOOD_FOR_MS = 2;
const PEAK_IS_GOOD_FOR_MS = 10;
let lastUsage = 0;
let lastUsageAt = -Infinity;
let lastPeak = 0;
let lastPeakAt = -Infinity;

/** @returns the most memory this process has used so far, in KiB */
function maxRssKb() {
  const now = performance.now();
  if (now - lastUsageAt > USAGE_IS_GOOD_FOR_MS) {
    lastUsageAt = now;
    lastUsage = process.resourceUsage().maxRSS;
  }
  if (lastUsage > inheritedPeak) return lastUsage;
  if (now - lastPeakAt > PEAK_IS_GOOD_FOR_MS) {
    lastPeakAt = now;
    lastPeak = ownPeak(lastUsage);
  }
  return lastPeak;
}

function ownPeak(peak) {
  try {
    statusFile ??= openSync("/proc/self/status", "r");
    const length = readSync(statusFile, output, 0, 4096, 0);
    const match = /VmHWM:\s*(\d+)/.exec(output.latin1Slice(0, length));
    return match === null ? peak : Number(match[1]);
  } catch {
    return peak;
  }
}

module.exports = {
  INIT,
  INVOKE,
  SHUTDOWN,
  CREDIT,
  HELLO,
  INIT_DONE,
  INIT_ERROR,
  RESPONSE,
  ERROR,
  LOG,
  RESPONSE_START,
  RESPONSE_CHUNK,
  RESPONSE_END,
  RETURNED,
  FRAME_LIMIT,
  beginsEvent,
  isRecalled,
  nextFrame,
  readFrameLater,
  whenInputRests,
  writeFrame,
  writeJson,
  writeBytes,
  writeHeaded,
  writeLog,
  maxRssKb,
};
