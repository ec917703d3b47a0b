// Entry point of every managed Node.js runtime: says hello, waits for `init`, loads the function, serves events.
// Node's own modules only; everything rare (streaming, ESM hooks) is loaded when first needed, to keep cold starts short.
// CommonJS for the same reason: as ES modules these files take as long again as a third of the interpreter's own start.
"use strict";

const { chdir } = require("node:process");

const { patchConsole } = require("./console.cjs");
const { reportUncaught } = require("./crash.cjs");
const { HELLO, INIT, INIT_DONE, SHUTDOWN, nextFrame, writeJson } = require("./frames.cjs");
const { loadRuntime } = require("./handler.cjs");
const { hideOwnModules } = require("./own-modules.cjs");
const { extendResolution } = require("./resolution.cjs");
const { rehearse } = require("./rehearsal.cjs");
const { serve } = require("./serve.cjs");
const { replaceEnvironment } = require("./variables.cjs");

/** As Node.js ends a program whose main module waits for what never comes. */
const UNSETTLED = 13;
const stillLoading = () => {
  process.exitCode ??= UNSETTLED;
};

async function main() {
  await rehearse();
  hideOwnModules();
  const frame = nextFrame();
  if (frame === undefined || frame.type === SHUTDOWN) process.exit(0);
  if (frame.type !== INIT) throw new Error(`expected an init frame, got type ${frame.type}`);
  await start(JSON.parse(frame.body()));
}

async function start(init) {
  // Absent where a launcher has started this process with the function's variables, to which a wrapper may have added.
  if (init.environment === undefined) init.environment = { ...process.env };
  else replaceEnvironment(init.environment);
  chdir(init.taskRoot);
  patchConsole(init);
  reportUncaught();
  await extendResolution(init);
  const runtime = await loadRuntime(init.taskRoot, init.handler);
  process.off("exit", stillLoading);
  // One that streams reads credit while its handler runs, and would come upon the next event there.
  writeJson(INIT_DONE, { prefetches: !runtime.streaming });
  serve(runtime, init);
}

writeJson(HELLO, { pid: process.pid, version: process.version });
process.on("exit", stillLoading);
main().catch((error) => {
  process.nextTick(() => {
    throw error;
  });
});
