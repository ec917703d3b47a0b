// The error documents and error types of AWS's Node.js runtimes.
import { isNativeError } from "node:util/types";

import { publicLines, publicText } from "./own-frames.mjs";

/** Node.js 24 came with a rewritten runtime: several behaviours of the programming model differ from there on. */
export const MODERN = Number(process.versions.node.split(".")[0]) >= 24;

function runtimeError(name) {
  const type = class extends Error {};
  Object.defineProperty(type, "name", { value: name });
  type.prototype.name = `Runtime.${name}`;
  return type;
}

export const ImportModuleError = runtimeError("ImportModuleError");
export const HandlerNotFound = runtimeError("HandlerNotFound");
export const MalformedHandlerName = runtimeError("MalformedHandlerName");
export const UserCodeSyntaxError = runtimeError("UserCodeSyntaxError");
export const MalformedStreamingHandler = runtimeError("MalformedStreamingHandler");
export const InvalidStreamingOperation = runtimeError("InvalidStreamingOperation");
export const CallbackHandlerDeprecated = runtimeError("CallbackHandlerDeprecated");
export const JSONStringifyError = runtimeError("JSONStringifyError");
export const NodeJsExit = runtimeError("NodeJsExit");

export class UnhandledPromiseRejection extends Error {
  constructor(reason, promise) {
    super(String(reason));
    this.reason = reason;
    this.promise = promise;
  }
}
UnhandledPromiseRejection.prototype.name = "Runtime.UnhandledPromiseRejection";

export function unexpectedExit() {
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
export function errorDocument(error) {
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

export function intoError(value) {
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
export function loggedError(error) {
  try {
    return `\t${JSON.stringify(error, withHiddenFields)}`;
  } catch {
    return `\t${JSON.stringify(errorDocument(error))}`;
  }
}
