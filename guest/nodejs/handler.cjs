// Finds the function that a handler string such as `src/app.nested.handler` names.
"use strict";

const { existsSync } = require("node:fs");
const { createRequire } = require("node:module");
const { basename, dirname, join, resolve } = require("node:path");
const { pathToFileURL } = require("node:url");

const {
  CallbackHandlerDeprecated,
  HandlerNotFound,
  ImportModuleError,
  MODERN,
  MalformedHandlerName,
  MalformedStreamingHandler,
  UserCodeSyntaxError,
} = require("./errors.cjs");
const { isModuleFolder } = require("./package-type.cjs");

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HIGH_WATER_MARK = Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark");

/** A function's modules are nobody's children: this runtime's own do not show in them. */
const requireIts = createRequire(__filename);

function parseHandler(handler) {
  if (handler.includes(".."))
    throw new MalformedHandlerName(
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  const name = basename(handler);
  const match = /^([^.]*)\.(.*)$/.exec(name);
  if (match === null) throw new MalformedHandlerName("Bad handler");
  return { folder: handler.slice(0, handler.indexOf(name)), module: match[1], path: match[2] };
}

function requireIfThere(file) {
  return existsSync(file) ? requireIts(file) : undefined;
}

async function importIfThere(file) {
  return existsSync(file) ? await import(pathToFileURL(file).href) : undefined;
}

/** @param file its path without the extension */
async function loadFile(file) {
  if (MODERN) {
    for (const extension of ["", ".js", ".mjs", ".cjs"]) {
      const loaded = await importIfThere(file + extension);
      if (loaded !== undefined) return loaded;
    }
    return undefined;
  }
  const esm = isModuleFolder(dirname(file));
  return (
    requireIfThere(file) ||
    (esm ? await importIfThere(`${file}.js`) : requireIfThere(`${file}.js`)) ||
    (await importIfThere(`${file}.mjs`)) ||
    requireIfThere(`${file}.cjs`)
  );
}

function wrapLoadError(error) {
  if (error instanceof SyntaxError) {
    const wrapped = new UserCodeSyntaxError(String(error));
    if (MODERN) wrapped.stack = error.stack;
    return wrapped;
  }
  return error?.code === "MODULE_NOT_FOUND" ? new ImportModuleError(String(error)) : error;
}

async function loadModule(taskRoot, folder, module) {
  try {
    const loaded = await loadFile(resolve(taskRoot, folder, module));
    if (loaded) return loaded;
    // Lambda also takes a package: `my-package.handler` from node_modules or a layer.
    return requireIts(requireIts.resolve(module, { paths: [taskRoot, join(taskRoot, folder)] }));
  } catch (error) {
    throw wrapLoadError(error);
  }
}

function member(object, path) {
  return path.split(".").reduce((nested, key) => nested && nested[key], object);
}

function provideStreaming() {
  const off = process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA;
  if (off === "1" || off === "true") return;
  globalThis.awslambda = {
    streamifyResponse(handler, options) {
      handler[STREAMING] = "response";
      if (typeof options?.highWaterMark === "number")
        handler[HIGH_WATER_MARK] = Math.trunc(options.highWaterMark);
      return handler;
    },
    HttpResponseStream: class HttpResponseStream {
      /** Sends status, headers and cookies ahead of the body: their JSON, then eight NUL bytes. */
      static from(stream, prelude) {
        stream.setContentType("application/vnd.awslambda.http-integration-response");
        stream._onBeforeFirstWrite = (write) => {
          write(JSON.stringify(prelude));
          write(new Uint8Array(8));
        };
        return stream;
      }
    },
  };
}

/** A loaded handler. Called as a method of this class, it stands in stack traces as in AWS: `at Runtime.handler`. */
class Runtime {
  constructor(handler) {
    const streaming = handler[STREAMING];
    if (streaming && streaming !== "response")
      throw new MalformedStreamingHandler("Only response streaming is supported.");
    const highWaterMark = Number(handler[HIGH_WATER_MARK]);
    this.handler = handler;
    this.streaming = Boolean(streaming);
    this.highWaterMark = highWaterMark > 0 ? highWaterMark : undefined;
    this.isAsync = handler.constructor?.name === "AsyncFunction";
  }
}

function checkCallback({ handler, streaming, isAsync }) {
  if (streaming) return;
  if (MODERN && handler.length >= 3)
    throw new CallbackHandlerDeprecated(
      "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.",
    );
  const quiet = process.env.AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING !== undefined;
  if (!MODERN && handler.length === 3 && !isAsync && !quiet)
    console.warn(
      "AWS Lambda plans to remove support for callback-based function handlers starting with Node.js 24. You will need to update this function to use an async handler to use Node.js 24 or later. For more information and to provide feedback on this change, see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/137. To disable this warning, set the AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING environment variable.",
    );
}

/**
 * Loads the function.
 * @returns `{handler, streaming, highWaterMark, isAsync}`
 * @throws Runtime.MalformedHandlerName, Runtime.ImportModuleError, Runtime.UserCodeSyntaxError, Runtime.HandlerNotFound, or what the module threw
 */
async function loadRuntime(taskRoot, handlerName) {
  const { folder, module, path } = parseHandler(handlerName);
  provideStreaming();
  const loaded = await loadModule(taskRoot, folder, module);
  let handler = member(loaded, path);
  if (!handler && MODERN) handler = member(loaded?.default, path);
  if (!handler) throw new HandlerNotFound(`${handlerName} is undefined or not exported`);
  if (typeof handler !== "function") throw new HandlerNotFound(`${handlerName} is not a function`);
  const runtime = new Runtime(handler);
  checkCallback(runtime);
  return runtime;
}

module.exports = {
  loadFile,
  loadRuntime,
};
