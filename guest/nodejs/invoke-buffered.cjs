// The programming model from Node.js 24 on: what the handler returns, awaited, is the response.
"use strict";

const { unwatchExit, watchExit } = require("./before-exit.cjs");

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** @param invocation `{runtime, reply, context(), event(), next()}` */
async function runBuffered({ runtime, reply, context, event, next }) {
  let abandoned = false;
  watchExit(() => {
    abandoned = true;
    reply.unsettled();
    next();
  });
  try {
    const result = await runtime.handler(event(), context());
    if (abandoned) return;
    unwatchExit();
    await nextTurn();
    reply.respond(result);
  } catch (error) {
    if (abandoned) return;
    unwatchExit();
    await nextTurn();
    reply.fail(error);
  }
  next();
}

module.exports = {
  runBuffered,
};
