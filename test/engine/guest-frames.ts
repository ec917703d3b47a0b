import { encodeFrame, encodeHeadedFrame, FRAME } from "#engine/environment/frames";

/** What a guest sends, for tests that play one. */
export const hello = encodeFrame(FRAME.hello, "{}");

export function initDone(what?: object): Buffer {
  return encodeFrame(FRAME.initDone, what === undefined ? "" : JSON.stringify(what));
}

/** A headed frame without bytes. */
export function headed(type: number, header: object): Buffer {
  return encodeHeadedFrame(type, JSON.stringify(header), Buffer.alloc(0));
}

export function response(requestId: string, header: object = {}): Buffer {
  return encodeHeadedFrame(FRAME.response, JSON.stringify({ requestId, ...header }), Buffer.from("1"));
}

export function log(message: string, type: number = FRAME.log): Buffer {
  return encodeFrame(type, Buffer.concat([Buffer.alloc(8), Buffer.from(message)]));
}

/** Logged between two events. */
export function lateLog(message: string): Buffer {
  return log(message, FRAME.lateLog);
}
