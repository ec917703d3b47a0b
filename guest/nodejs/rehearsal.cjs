// What the first init and the first event will run, run for nothing while the environment waits for its function: the engine
// compiles and loads lazily, and does so now instead of on the way of an invocation (2 of 4 ms of processor time there, and
// 8 of 12 ms where the function is the process's first ES module).
"use strict";

const { unwatchExit } = require("./before-exit.cjs");
const { patchConsole } = require("./console.cjs");
const { buildContext } = require("./context.cjs");
const { MODERN } = require("./errors.cjs");
const { maxRssKb } = require("./frames.cjs");
const { runBuffered } = require("./invoke-buffered.cjs");
const { runClassic } = require("./invoke-classic.cjs");
const { loadFile } = require("./handler.cjs");
const { extendResolution, mayImport } = require("./resolution.cjs");
const { replaceEnvironment } = require("./variables.cjs");

const INIT = { environment: {}, handler: "rehearsed-module.handler", taskRoot: __dirname };
const HEADER = { requestId: "", deadlineMs: 0, invokedFunctionArn: "", traceId: "" };

/** Answers nobody. */
const REPLY = { requestId: "", respond: () => {}, fail: () => {}, unsettled: () => {} };

/** Sets about as many variables as a function has, and takes them away. */
function rehearseVariables() {
  const saved = { ...process.env };
  const more = Object.fromEntries(Array.from({ length: 20 }, (_, number) => [`REHEARSED_${number}`, "x"]));
  replaceEnvironment({ ...saved, ...more });
  replaceEnvironment(saved);
}

async function rehearse() {
  rehearseVariables();
  patchConsole(INIT);
  await extendResolution(INIT);
  mayImport(INIT);
  await loadFile(`${__dirname}/rehearsed-module`);
  const { handler } = await loadFile(`${__dirname}/rehearsed`);
  const run = MODERN ? runBuffered : runClassic;
  await new Promise((next) => {
    run({
      runtime: { handler, isAsync: true },
      reply: REPLY,
      context: () => buildContext(HEADER, INIT),
      event: () => JSON.parse("{}"),
      next,
    });
  });
  unwatchExit();
  maxRssKb();
}

module.exports = {
  rehearse,
};
