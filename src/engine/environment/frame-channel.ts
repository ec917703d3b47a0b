import { RESPONSE_WINDOW_BYTES } from "./channel.ts";
import type { Channel, ChannelListener, GuestEvent, Send } from "./channel.ts";
import {
  encodeFrame,
  encodeHeadedFrame,
  FRAME,
  FrameError,
  MAX_HEADER_BYTES,
  parseJson,
  splitHeaded,
} from "./frames.ts";

/** Credit is given in portions, each worth a frame of its own. */
const CREDIT_PORTION_BYTES = RESPONSE_WINDOW_BYTES / 4;

/** A streamed response's content type where the guest names none that can be a header. */
const DEFAULT_CONTENT_TYPE = "application/octet-stream";

/** The frame protocol of managed runtimes (guest/PROTOCOL.md). */
export class FrameChannel implements Channel {
  readonly #listener: ChannelListener;
  readonly #send: Send;
  /** Without what is held. */
  readonly #sendAlone: Send;
  readonly #init: () => string;
  /** Frames of prefetched events, which are sent at the end of this turn of the event loop. */
  #held: Buffer[] = [];
  /** The streamed response under way: all its bytes, those that were not credited, and those of them that may be. */
  #streamed: { bytes: number; ahead: number; taken: number } | undefined;

  /** @param init makes the init frame's JSON; called by `initialise` */
  constructor(listener: ChannelListener, send: Send, init: () => string) {
    this.#listener = listener;
    this.#send = (bytes) => {
      this.#release();
      send(bytes);
    };
    this.#sendAlone = send;
    this.#init = init;
  }

  initialise(): void {
    this.#send(encodeFrame(FRAME.init, this.#init()));
  }

  invoke(event: GuestEvent): void {
    const type = event.kind === "restore" ? FRAME.restore : FRAME.invoke;
    this.#send(encodeHeadedFrame(type, headerOf(event), event.payload));
  }

  prefetch(event: GuestEvent, number: number, timeoutMs: number): void {
    const header = headerOf(event, `,"prefetched":${number},"timeoutMs":${timeoutMs}`);
    this.#held.push(encodeHeadedFrame(FRAME.invoke, header, event.payload));
    if (this.#held.length === 1) setImmediate(this.#release);
  }

  /** Each write that finds the guest asleep wakes it: one for all that came together is a third of the whole path's time. */
  readonly #release = (): void => {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    const [only] = held;
    this.#sendAlone(held.length === 1 && only !== undefined ? only : Buffer.concat(held));
  };

  taken(bytes: number): void {
    const streamed = this.#streamed;
    if (streamed === undefined) return;
    streamed.taken += bytes;
    if (streamed.taken < CREDIT_PORTION_BYTES) return;
    this.#credit(streamed.taken);
    streamed.ahead -= streamed.taken;
    streamed.taken = 0;
  }

  terminate(): void {
    this.#send(encodeFrame(FRAME.shutdown));
  }

  frame(type: number, body: Buffer): void {
    switch (type) {
      case FRAME.hello:
        return this.#listener.booted();
      case FRAME.initDone:
        return this.#listener.initialised(body.length > 0 && prefetchesOf(body));
      case FRAME.initError:
        return this.#listener.initFailed({ errorType: errorTypeOf(body), payload: Buffer.from(body) });
      case FRAME.response:
      case FRAME.error:
      case FRAME.responseEnd:
        return this.#answer(type, body);
      case FRAME.responseStart:
        return this.#begin(body);
      case FRAME.responseChunk:
        return this.#chunk(body);
      case FRAME.log:
        return this.#log(body, false);
      case FRAME.lateLog:
        return this.#log(body, true);
      case FRAME.returned:
        return this.#listener.returned(requestIdOf(asRecord(splitHeaded(body).header)));
      default:
        throw new FrameError("malformed", `an unknown frame ${type}`);
    }
  }

  #begin(body: Buffer): void {
    const { header } = splitHeaded(body);
    const record = asRecord(header);
    const requestId = requestIdOf(record);
    const { contentType } = record;
    this.#listener.responseBegan(requestId, headerText(contentType) ?? DEFAULT_CONTENT_TYPE);
    this.#streamed = { bytes: 0, ahead: 0, taken: 0 };
  }

  #chunk(bytes: Buffer): void {
    const streamed = this.#streamed;
    if (streamed === undefined) throw new FrameError("malformed", "a part of no response");
    streamed.bytes += bytes.length;
    streamed.ahead += bytes.length;
    if (streamed.ahead > RESPONSE_WINDOW_BYTES)
      throw new FrameError("malformed", "more of a response than was asked for");
    this.#listener.responseChunk(bytes);
  }

  #answer(type: number, body: Buffer): void {
    const { header, bytes } = splitHeaded(body);
    const record = asRecord(header);
    const requestId = requestIdOf(record);
    const { maxRssKb, tookMs, exit } = record;
    const rss = typeof maxRssKb === "number" && maxRssKb > 0 && maxRssKb < 1e9 ? maxRssKb : 0;
    const streamed = this.#streamed;
    if (type === FRAME.responseEnd) {
      if (streamed === undefined) throw new FrameError("malformed", "the end of no response");
      this.#listener.answered(
        requestId,
        { kind: "streamed", bytes: streamed.bytes, maxRssKb: rss },
        exit === true,
      );
    } else {
      const kind = type === FRAME.response ? ("response" as const) : ("error" as const);
      if (streamed !== undefined && kind === "response")
        throw new FrameError("malformed", "a response within a response");
      const answer = { kind, payload: bytes, maxRssKb: rss, tookMs: headerMs(tookMs) };
      this.#listener.answered(requestId, answer, exit === true);
    }
    this.#streamed = undefined;
    // A guest may still wait for credit, and is to find the next event by a blocking read again.
    if (streamed !== undefined) this.#credit(0);
    this.#listener.waiting();
  }

  #credit(bytes: number): void {
    const body = Buffer.allocUnsafe(4);
    body.writeUInt32BE(bytes);
    this.#send(encodeFrame(FRAME.credit, body));
  }

  #log(body: Buffer, late: boolean): void {
    if (body.length < 8) throw new FrameError("malformed", "a log frame without its time");
    const time = body.readUInt32BE(0) * 2 ** 32 + body.readUInt32BE(4);
    this.#listener.logged(time, body.toString("utf8", 8), late);
  }
}

/**
 * The header's JSON, put together by hand: to copy the event without its payload first takes longer than all the rest.
 * @param more members of the header, each after a comma
 */
function headerOf(event: GuestEvent, more = ""): string {
  const { requestId, deadlineMs, invokedFunctionArn, traceId, clientContext, tenantId } = event;
  let header = `{"requestId":${quoted(requestId)},"deadlineMs":${deadlineMs},"invokedFunctionArn":${quoted(invokedFunctionArn)},"traceId":${quoted(traceId)}`;
  if (clientContext !== undefined) header += `,"clientContext":${quoted(clientContext)}`;
  if (tenantId !== undefined) header += `,"tenantId":${quoted(tenantId)}`;
  return `${header}${more}}`;
}

function requestIdOf({ requestId }: Readonly<Record<string, unknown>>): string {
  if (typeof requestId !== "string") throw new FrameError("malformed", "a frame without its request id");
  return requestId;
}

function prefetchesOf(body: Buffer): boolean {
  if (body.length > MAX_HEADER_BYTES) throw new FrameError("malformed", "an end of init is too long");
  return asRecord(parseJson(body.toString("utf8")))["prefetches"] === true;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** What stands in JSON as it is. */
const PLAIN = /^[\x20-\x21\x23-\x5b\x5d-\x7e]*$/;

/** An error's document with its trace; what Lambda answers is no larger than a response. */
const MAX_INIT_ERROR_BYTES = 6 * 1024 * 1024;

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** What may stand in an HTTP header as it is; undefined for anything else. */
export function headerText(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x20-\x7e]{1,1024}$/.test(value) ? value : undefined;
}

function errorTypeOf(document: Buffer): string {
  if (document.length > MAX_INIT_ERROR_BYTES) throw new FrameError("malformed", "an init error is too long");
  const { errorType } = asRecord(parseJson(document.toString("utf8")));
  return typeof errorType === "string" ? errorType.slice(0, 256) : "Runtime.Unknown";
}

function headerMs(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 && Number.isFinite(value) ? value : undefined;
}
