// What ends a Node.js environment: exceptions nobody caught. The caller gets the error, the environment is replaced.
"use strict";

const { logError } = require("./console.cjs");
const { UnhandledPromiseRejection, errorDocument } = require("./errors.cjs");
const { ERROR, INIT_ERROR, maxRssKb, writeHeaded, writeJson } = require("./frames.cjs");

// AWS's exit statuses; they show in the log line "Runtime exited with error: exit status 129".
const UNCAUGHT_EXCEPTION = 129;
const UNHANDLED_REJECTION = 128;

let runningRequestId;

/** Says which invocation a crash from now on belongs to; until the first one, a crash is an init error. */
function setRunning(requestId) {
  runningRequestId = requestId;
}

function end(error, status) {
  const document = errorDocument(error);
  if (runningRequestId === undefined) writeJson(INIT_ERROR, document);
  else
    writeHeaded(
      ERROR,
      { requestId: runningRequestId, maxRssKb: maxRssKb(), exit: true },
      JSON.stringify(document),
    );
  process.exit(status);
}

function reportUncaught() {
  process.on("uncaughtException", (error) => {
    logError("Uncaught Exception", error);
    end(error, UNCAUGHT_EXCEPTION);
  });
  process.on("unhandledRejection", (reason, promise) => {
    const error = new UnhandledPromiseRejection(reason, promise);
    logError("Unhandled Promise Rejection", error);
    end(error, UNHANDLED_REJECTION);
  });
}

module.exports = {
  setRunning,
  reportUncaught,
};
