// `console` as Lambda patches it: every call is one log event, in text or JSON, filtered by the application log level.
"use strict";

const { format } = require("node:util");

const { MODERN, intoError, loggedError } = require("./errors.cjs");
const { writeLog } = require("./frames.cjs");
const { publicLines, publicText } = require("./own-frames.cjs");

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const METHODS = {
  trace: "TRACE",
  debug: "DEBUG",
  info: "INFO",
  log: "INFO",
  warn: "WARN",
  error: "ERROR",
  fatal: "FATAL",
};

// Outside an invocation the older runtimes print "undefined", the newer "-".
let currentRequestId = MODERN ? "-" : undefined;
let currentTenantId;
let json = false;

function setLoggingContext(requestId, tenantId) {
  currentRequestId = requestId;
  currentTenantId = tenantId;
}

function errorFields(error) {
  return {
    errorType: error.constructor?.name ?? "UnknownError",
    errorMessage: typeof error.message === "string" ? publicText(error.message) : error.message,
    stackTrace: typeof error.stack === "string" ? publicLines(error.stack) : error.stack,
  };
}

function expandErrors(_key, value) {
  return value instanceof Error ? { ...errorFields(value), ...value } : value;
}

function jsonLine(timestamp, level, message, params) {
  const event = { timestamp, level, requestId: currentRequestId };
  if (currentTenantId) event.tenantId = currentTenantId;
  if (params.length === 0) {
    event.message = typeof message === "string" ? publicText(message) : message;
    try {
      return JSON.stringify(event, expandErrors);
    } catch {
      event.message = publicText(format(message));
      return JSON.stringify(event);
    }
  }
  event.message = publicText(format(message, ...params));
  const error = (MODERN ? params : [message, ...params]).find((param) => param instanceof Error);
  return JSON.stringify(error === undefined ? event : { ...event, ...errorFields(error) });
}

function log(level, message, params) {
  const now = new Date();
  const timestamp = now.toISOString();
  if (json) return writeLog(now.getTime(), jsonLine(timestamp, level, message, params));
  const text = typeof message === "string" && params.length === 0 ? message : format(message, ...params);
  writeLog(now.getTime(), `${timestamp}\t${currentRequestId}\t${level}\t${publicText(text)}`);
}

/** @param init `{logFormat, applicationLogLevel, environment}` */
function patchConsole(init) {
  json = (init.logFormat ?? init.environment.AWS_LAMBDA_LOG_FORMAT)?.toUpperCase() === "JSON";
  const threshold = (init.applicationLogLevel ?? init.environment.AWS_LAMBDA_LOG_LEVEL)?.toUpperCase();
  const least = Math.max(0, LEVELS.indexOf(threshold));
  for (const [method, level] of Object.entries(METHODS)) {
    const shown = LEVELS.indexOf(level) >= least;
    console[method] = shown ? (message, ...params) => log(level, message, params) : () => {};
  }
}

/** Logs a failure the way the runtime itself does, so alarms on "Invoke Error" or "Uncaught Exception" match. */
function logError(title, error) {
  if (json) console.error(intoError(error));
  else console.error(title, loggedError(intoError(error)));
}

module.exports = {
  setLoggingContext,
  patchConsole,
  logError,
};
