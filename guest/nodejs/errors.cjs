// The error documents and error types of AWS's Node.js runtimes.
"use strict";

const { isNativeError } = require("node:util/types");

const { publicLines, publicText } = require("./own-frames.cjs");

/** Node.js 24 came with a rewritten runtime: several behaviours of the programming model differ from there on. */
const MODERN = Number(process.versions.node.split(".")[0]) >= 24;

function runtimeError(name) {
  const type = class extends Error {};
  Object.defineProperty(type, "name", { value: name });
  type.prototype.name = `Runtime.${name}`;
  return type;
}

const ImportModuleError = runtimeError("ImportModuleError");
const HandlerNotFound = runtimeError("HandlerNotFound");
const MalformedHandlerName = runtimeError("MalformedHandlerName");
const UserCodeSyntaxError = runtimeError("UserCodeSyntaxError");
const MalformedStreamingHandler = runtimeError("MalformedStreamingHandler");
const InvalidStreamingOperation = runtimeError("InvalidStreamingOperation");
const CallbackHandlerDeprecated = runtimeError("CallbackHandlerDeprecated");
const JSONStringifyError = runtimeError("JSONStringifyError");
const NodeJsExit = runtimeError("NodeJsExit");

class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}
UnhandledPromiseRejection.prototype.name = "Runtime.UnhandledPromiseRejection";

function unexpectedExit() {
  return new NodeJsExit(
    "The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes",
  );
}

function looksLikeError(value) {
  if (MODERN) return value instanceof Error;
  return (
    isNativeError(value) ||
    (Boolean(value) &&
      [value.name, value.message, value.stack].every((part) => typeof part === "string" && part !== ""))
  );
}

/** AWS's runtimes send a DEL as %7F. */
function plain(text) {
  return typeof text === "string" ? publicText(text).replaceAll("\x7F", "%7F") : text;
}

/** @returns what Invoke answers for this thrown value: `{errorType, errorMessage, trace}` */
function errorDocument(error) {
  try {
    if (looksLikeError(error))
      return {
        errorType: plain(error.name),
        errorMessage: plain(error.message),
        // Only the newer runtimes take an error without a stack; the older ones fail here and say "handled".
        trace: MODERN && !error.stack ? [] : plain(error.stack).split("\n"),
      };
    // `null.toString()` fails in the older runtimes and so lands in the catch, as it does here.
    return { errorType: typeof error, errorMessage: MODERN ? String(error) : error.toString(), trace: [] };
  } catch {
    const errorMessage =
      "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack";
    return MODERN
      ? { errorType: "handled", errorMessage, trace: [] }
      : { errorType: "handled", errorMessage };
  }
}

function intoError(value) {
  if (value instanceof Error) return value;
  return new Error(MODERN ? String(value) : value);
}

function publicMessage(error) {
  return typeof error.message === "string" ? publicText(error.message) : error.message;
}

function withHiddenFields(_key, value) {
  if (!(value instanceof Error)) return value;
  const shown = { errorType: value.name, errorMessage: publicMessage(value), code: value.code, ...value };
  if (typeof value.stack === "string") shown.stack = publicLines(value.stack);
  return shown;
}

/** @returns the error as it stands in a text log line; it always begins with a tab */
function loggedError(error) {
  try {
    return `\t${JSON.stringify(error, withHiddenFields)}`;
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`;
  }
}

module.exports = {
  MODERN,
  ImportModuleError,
  HandlerNotFound,
  MalformedHandlerName,
  UserCodeSyntaxError,
  MalformedStreamingHandler,
  InvalidStreamingOperation,
  CallbackHandlerDeprecated,
  JSONStringifyError,
  NodeJsExit,
  UnhandledPromiseRejection,
  unexpectedExit,
  errorDocument,
  intoError,
  loggedError,
};
