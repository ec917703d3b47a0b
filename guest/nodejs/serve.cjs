// The loop that takes one event after another.
"use strict";

const { unwatchExit } = require("./before-exit.cjs");
const { logError, setLoggingContext } = require("./console.cjs");
const { buildContext } = require("./context.cjs");
const { setRunning } = require("./crash.cjs");
const { JSONStringifyError, MODERN, errorDocument, unexpectedExit } = require("./errors.cjs");
const {
  CREDIT,
  ERROR,
  INVOKE,
  RESPONSE,
  RETURNED,
  beginsEvent,
  isRecalled,
  maxRssKb,
  nextFrame,
  whenInputRests,
  writeHeaded,
} = require("./frames.cjs");
const { runBuffered } = require("./invoke-buffered.cjs");
const { loadOwnModule } = require("./own-modules.cjs");
const { runClassic } = require("./invoke-classic.cjs");

/** Lambda's own words for a response it does not take; 6,291,556 bytes is its limit for a buffered one. */
const TOO_LARGE = {
  errorType: "Function.ResponseSizeTooLarge",
  errorMessage: "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
};

// A function may put clocks of its own in the place of these.
const now = performance.now.bind(performance);
const epoch = Date.now;

function stringify(value) {
  try {
    // A function or a symbol has no JSON either, and JSON.stringify answers undefined for it.
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch {
    const message = "Unable to stringify response body";
    throw MODERN ? new JSONStringifyError(message) : new Error(message);
  }
}

function sendError(requestId, began, document) {
  const header = { requestId, maxRssKb: maxRssKb(), tookMs: now() - began, exit: false };
  writeHeaded(ERROR, header, JSON.stringify(document));
}

/** Where the outcome of one invocation goes; every way of running a handler ends in exactly one of these. */
function replyTo(requestId) {
  const began = now();
  return {
    requestId,
    respond(value) {
      const header = { requestId, maxRssKb: maxRssKb(), tookMs: now() - began };
      if (!writeHeaded(RESPONSE, header, stringify(value))) sendError(requestId, began, TOO_LARGE);
    },
    fail(error) {
      logError("Invoke Error", error);
      sendError(requestId, began, errorDocument(error));
    },
    unsettled() {
      this.fail(unexpectedExit());
    },
  };
}

/** Waits for the next event that is to be begun. @returns `{header, payload}` */
function nextEvent() {
  for (;;) {
    const frame = nextFrame();
    // What was left of the last response's.
    if (frame?.type === CREDIT) continue;
    // The platform has gone, or asks to end: `shutdown` is the only other frame that may come here.
    if (frame === undefined || frame.type !== INVOKE) process.exit(0);
    const header = frame.header();
    const { requestId, prefetched } = header;
    const payload = frame.payload();
    if (prefetched === undefined) return { header, payload };
    if (!isRecalled(prefetched)) {
      header.deadlineMs = epoch() + header.timeoutMs;
      return { header, payload };
    }
    writeHeaded(RETURNED, { requestId }, "");
  }
}

/** @param runtime what loadRuntime returned */
function serve(runtime, init) {
  const run = chooseRunner(runtime);
  const step = () => {
    unwatchExit();
    whenInputRests(take);
  };
  const take = () => {
    const { header, payload } = nextEvent();
    beginsEvent();
    setRunning(header.requestId);
    setLoggingContext(header.requestId, header.tenantId);
    if (header.traceId === undefined) delete process.env._X_AMZN_TRACE_ID;
    else process.env._X_AMZN_TRACE_ID = header.traceId;
    run({
      runtime,
      reply: replyTo(header.requestId),
      context: () => buildContext(header, init),
      event: () => JSON.parse(payload),
      // What the handler left on the event loop gets one more turn before the environment freezes, as in AWS.
      next: () => setImmediate(step),
    });
  };
  setImmediate(step);
}

function chooseRunner(runtime) {
  if (runtime.streaming) return loadOwnModule("./invoke-streaming.cjs").runStreaming;
  return MODERN ? runBuffered : runClassic;
}

module.exports = {
  serve,
};
