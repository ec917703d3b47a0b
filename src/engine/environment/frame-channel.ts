import type { Channel, ChannelListener, GuestEvent, Send } from "./channel.ts";
import { encodeFrame, encodeHeadedFrame, FRAME, FrameError, parseJson, splitHeaded } from "./frames.ts";

/** The frame protocol of managed runtimes (guest/PROTOCOL.md). */
export class FrameChannel implements Channel {
  readonly #listener: ChannelListener;
  readonly #send: Send;
  readonly #init: () => string;

  /** @param init makes the init frame's JSON; called by `initialise` */
  constructor(listener: ChannelListener, send: Send, init: () => string) {
    this.#listener = listener;
    this.#send = send;
    this.#init = init;
  }

  initialise(): void {
    this.#send(encodeFrame(FRAME.init, this.#init()));
  }

  invoke(event: GuestEvent): void {
    const { payload, ...header } = event;
    this.#send(encodeHeadedFrame(FRAME.invoke, JSON.stringify(header), payload));
  }

  terminate(): void {
    this.#send(encodeFrame(FRAME.shutdown));
  }

  frame(type: number, body: Buffer): void {
    switch (type) {
      case FRAME.hello:
        return this.#listener.booted();
      case FRAME.initDone:
        return this.#listener.initialised();
      case FRAME.initError:
        return this.#listener.initFailed({ errorType: errorTypeOf(body), payload: Buffer.from(body) });
      case FRAME.response:
      case FRAME.error:
        return this.#answer(type, body);
      case FRAME.log:
        return this.#log(body);
      default:
        throw new FrameError("malformed", `an unknown frame ${type}`);
    }
  }

  #answer(type: number, body: Buffer): void {
    const { header, bytes } = splitHeaded(body);
    const { requestId, maxRssKb, exit } = asRecord(header);
    if (typeof requestId !== "string") throw new FrameError("malformed", "an answer without a request id");
    const rss = typeof maxRssKb === "number" && maxRssKb > 0 && maxRssKb < 1e9 ? maxRssKb : 0;
    const kind = type === FRAME.response ? "response" : "error";
    this.#listener.answered(requestId, { kind, payload: bytes, maxRssKb: rss }, exit === true);
    this.#listener.waiting();
  }

  #log(body: Buffer): void {
    if (body.length < 8) throw new FrameError("malformed", "a log frame without its time");
    const time = body.readUInt32BE(0) * 2 ** 32 + body.readUInt32BE(4);
    this.#listener.logged(time, body.toString("utf8", 8));
  }
}

/** An error's document with its trace; what Lambda answers is no larger than a response. */
const MAX_INIT_ERROR_BYTES = 6 * 1024 * 1024;

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function errorTypeOf(document: Buffer): string {
  if (document.length > MAX_INIT_ERROR_BYTES) throw new FrameError("malformed", "an init error is too long");
  const { errorType } = asRecord(parseJson(document.toString("utf8")));
  return typeof errorType === "string" ? errorType.slice(0, 256) : "Runtime.Unknown";
}
