// One response in parts (guest/PROTOCOL.md, "Streamed responses").
"use strict";

const {
  CREDIT,
  RESPONSE_CHUNK,
  RESPONSE_END,
  RESPONSE_START,
  maxRssKb,
  readFrameLater,
  writeBytes,
  writeHeaded,
} = require("./frames.cjs");

/** How many bytes may be sent ahead of those that the platform has credited. */
const WINDOW = 256 * 1024;

/** The most that one frame takes: it then fits into the buffer that frames are written from. */
const PART = 60 * 1024;

class ResponseFrames {
  #requestId;
  #credit = WINDOW;
  #closed = false;

  constructor(requestId) {
    this.#requestId = requestId;
  }

  begin(contentType) {
    writeHeaded(RESPONSE_START, { requestId: this.#requestId, contentType }, "");
  }

  /** Sends bytes, as soon as and as far as there is credit. @param done called once all of them are sent */
  write(bytes, done) {
    this.#send(bytes, 0, done);
  }

  end() {
    this.#closed = true;
    writeHeaded(RESPONSE_END, { requestId: this.#requestId, maxRssKb: maxRssKb() }, "");
  }

  /** Sends nothing more, whatever still waits: the invocation has ended otherwise. */
  close() {
    this.#closed = true;
  }

  #send(bytes, from, done) {
    let at = from;
    while (at < bytes.length && this.#credit > 0) {
      const end = Math.min(bytes.length, at + PART, at + this.#credit);
      writeBytes(RESPONSE_CHUNK, bytes, at, end);
      this.#credit -= end - at;
      at = end;
    }
    if (at === bytes.length) return done();
    readFrameLater((frame) => {
      if (this.#closed) return;
      // Only `shutdown` may come instead.
      if (frame.type !== CREDIT) process.exit(0);
      this.#credit += frame.number();
      this.#send(bytes, at, done);
    });
  }
}

module.exports = {
  ResponseFrames,
};
