// Handlers wrapped in awslambda.streamifyResponse. What they write is collected and sent as one response.
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";

import { unwatchExit, watchExit } from "./before-exit.mjs";
import { InvalidStreamingOperation } from "./errors.mjs";

class ResponseStream extends Writable {
  chunks = [];
  contentType = "application/octet-stream";
  _onBeforeFirstWrite;

  setContentType(contentType) {
    if (this.chunks.length > 0) throw new InvalidStreamingOperation("Cannot set content-type, too late.");
    this.contentType = contentType;
  }

  write(chunk, ...rest) {
    const plain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(plain || chunk === null ? chunk : JSON.stringify(chunk), ...rest);
  }

  _write(chunk, _encoding, done) {
    this.#prelude();
    this.chunks.push(Buffer.from(chunk));
    done();
  }

  _final(done) {
    this.#prelude();
    done();
  }

  #prelude() {
    const before = this._onBeforeFirstWrite;
    this._onBeforeFirstWrite = undefined;
    before?.((part) => this.chunks.push(Buffer.from(part)));
  }
}

async function collect(runtime, event, context) {
  const stream = new ResponseStream({ highWaterMark: runtime.highWaterMark });
  const ended = finished(stream);
  // The handler's own failure is the one to report; the stream's only counts once the handler is done.
  ended.catch(() => {});
  const running = runtime.handler(event, stream, context);
  if (typeof running?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
  const result = await running;
  if (result !== undefined) console.warn("Streaming handlers ignore return values.");
  await ended;
  return { bytes: Buffer.concat(stream.chunks), contentType: stream.contentType };
}

/** @param invocation `{runtime, reply, context(), event(), next()}` */
export async function runStreaming({ runtime, reply, context, event, next }) {
  let abandoned = false;
  watchExit(() => {
    abandoned = true;
    reply.fail(new Error("Response stream is not finished."));
    next();
  });
  let report;
  try {
    const { bytes, contentType } = await collect(runtime, event(), context());
    report = () => reply.respondRaw(bytes, contentType);
  } catch (error) {
    report = () => reply.fail(error);
  }
  if (abandoned) return;
  unwatchExit();
  report();
  next();
}
