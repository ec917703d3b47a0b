// The programming model of Node.js 18 to 22: callback, promise, and the old context.done/succeed/fail.
"use strict";

const { unwatchExit, watchExit } = require("./before-exit.cjs");

/** Only the first call that comes to its end counts: one that throws, as over a response without JSON, leaves room for `fail`. */
function once(state, call) {
  return (...args) => {
    if (state.finished) return;
    call(...args);
    state.finished = true;
  };
}

function isMissing(value) {
  return value === undefined || value === null;
}

const states = new WeakMap();
/** For what stands in a context's place, such as a proxy of it: that of the invocation under way. */
let current;

const stateOf = (context) => states.get(context) ?? current;

/**
 * The same functions for every context. An accessor that is made anew with each object gives each a hidden class of its own,
 * 7 KB that only a full collection of the heap frees: that took a third of a short event's time.
 */
const WAITS = {
  get() {
    return stateOf(this).waits;
  },
  set(value) {
    stateOf(this).waits = value;
  },
  enumerable: true,
  configurable: true,
};

/** @returns the handler's `context`, in the order in which AWS's has its properties */
function contextWith(state, methods, fields) {
  const context = Object.defineProperty({}, "callbackWaitsForEmptyEventLoop", WAITS);
  states.set(context, state);
  current = state;
  return Object.assign(context, methods, fields);
}

function completions(reply, next) {
  const state = { finished: false, completed: false, waits: true };
  const fail = (error) => {
    reply.fail(error);
    next();
  };
  const complete = (result) => {
    if (state.completed) {
      console.error(
        "Invocation has already been reported as done. Cannot call complete more than once per invocation.",
      );
      return;
    }
    state.completed = true;
    reply.respond(result);
    next();
  };
  const done = (error, result) => {
    unwatchExit();
    if (isMissing(error)) complete(result);
    else fail(error);
  };
  const callback = (error, result) => {
    unwatchExit();
    if (!isMissing(error)) fail(error);
    else if (!state.waits) complete(result);
    else watchExit(() => setImmediate(() => complete(result)));
  };
  const limited = (call) => once(state, call);
  return {
    state,
    callback: limited(callback),
    methods: {
      succeed: limited((result) => done(null, result)),
      fail: limited((error) => (isMissing(error) ? done("handled") : done(error, null))),
      done: limited(done),
    },
  };
}

/** @param invocation `{runtime, reply, context(), event(), next()}` */
function runClassic({ runtime, reply, context, event, next }) {
  const { state, callback, methods } = completions(reply, next);
  // A promise that never settles is an error; a callback that is never called is a null response.
  watchExit(() => {
    state.completed = true;
    if (runtime.isAsync) reply.unsettled();
    else reply.respond(null);
    next();
  });
  try {
    const result = runtime.handler(event(), contextWith(state, methods, context()), callback);
    if (typeof result?.then === "function") result.then(methods.succeed, methods.fail).catch(methods.fail);
  } catch (error) {
    callback(error);
  }
}

module.exports = {
  runClassic,
};
