// Handlers wrapped in awslambda.streamifyResponse. What they write is sent as they write it.
"use strict";

const { Writable } = require("node:stream");
const { finished } = require("node:stream/promises");

const { unwatchExit, watchExit } = require("./before-exit.cjs");
const { InvalidStreamingOperation } = require("./errors.cjs");
const { ResponseFrames } = require("./response-frames.cjs");

class ResponseStream extends Writable {
  #frames;
  #begun = false;
  #contentType = "application/octet-stream";
  _onBeforeFirstWrite;

  constructor(frames, highWaterMark) {
    super({ highWaterMark });
    this.#frames = frames;
  }

  setContentType(contentType) {
    if (this.#begun) throw new InvalidStreamingOperation("Cannot set content-type, too late.");
    this.#contentType = contentType;
  }

  write(chunk, ...rest) {
    const plain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(plain || chunk === null ? chunk : JSON.stringify(chunk), ...rest);
  }

  _write(chunk, _encoding, done) {
    const prelude = this.#begin();
    // In one part with what follows: whoever reads the prelude need not wait for the body.
    this.#frames.write(prelude === undefined ? chunk : Buffer.concat([prelude, chunk]), done);
  }

  _final(done) {
    const prelude = this.#begin();
    if (prelude === undefined) done();
    else this.#frames.write(prelude, done);
  }

  /** @returns what goes before the first bytes */
  #begin() {
    if (this.#begun) return undefined;
    this.#begun = true;
    this.#frames.begin(this.#contentType);
    if (this._onBeforeFirstWrite === undefined) return undefined;
    const parts = [];
    this._onBeforeFirstWrite((part) => parts.push(Buffer.from(part)));
    return Buffer.concat(parts);
  }
}

async function run(runtime, event, context, stream) {
  const ended = finished(stream);
  // The handler's own failure is the one to report; the stream's only counts once the handler is done.
  ended.catch(() => {});
  const running = runtime.handler(event, stream, context);
  if (typeof running?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
  const result = await running;
  if (result !== undefined) console.warn("Streaming handlers ignore return values.");
  await ended;
}

/** @param invocation `{runtime, reply, context(), event(), next()}` */
async function runStreaming({ runtime, reply, context, event, next }) {
  const frames = new ResponseFrames(reply.requestId);
  const stream = new ResponseStream(frames, runtime.highWaterMark);
  let abandoned = false;
  const fail = (error) => {
    frames.close();
    stream.destroy();
    reply.fail(error);
    next();
  };
  watchExit(() => {
    abandoned = true;
    fail(new Error("Response stream is not finished."));
  });
  try {
    await run(runtime, event(), context(), stream);
  } catch (error) {
    if (abandoned) return;
    unwatchExit();
    return fail(error);
  }
  if (abandoned) return;
  unwatchExit();
  frames.end();
  next();
}

module.exports = {
  runStreaming,
};
