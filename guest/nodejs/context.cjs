// The `context` argument.
"use strict";

const { MODERN } = require("./errors.cjs");

const TRACE_CONTEXT = ["traceparent", "tracestate", "baggage"];

function parse(text, name) {
  if (text === undefined || text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`Cannot parse ${name} as json: ${error.toString()}`);
  }
}

/** Takes `w3c` out of the client context; only its three standard fields, and only as text, reach the function. */
function takeTraceContext(clientContext) {
  const source = clientContext?.w3c;
  if (clientContext !== null && typeof clientContext === "object") delete clientContext.w3c;
  const fields = {};
  for (const name of TRACE_CONTEXT) if (typeof source?.[name] === "string") fields[name] = source[name];
  return Object.freeze(fields);
}

/**
 * @param header of the invoke frame
 * @returns the documented fields; `callbackWaitsForEmptyEventLoop`, `done`, `succeed` and `fail` are added where a runtime has them
 */
function buildContext(header, init) {
  const clientContext = parse(header.clientContext, "ClientContext");
  const context = {
    functionVersion: init.functionVersion,
    functionName: init.functionName,
    memoryLimitInMB: String(init.memoryMb),
    logGroupName: init.logGroup,
    logStreamName: init.logStream,
    clientContext,
    identity: parse(header.identity, "CognitoIdentity"),
    invokedFunctionArn: header.invokedFunctionArn,
    awsRequestId: header.requestId,
    tenantId: header.tenantId,
    getRemainingTimeInMillis: () => header.deadlineMs - Date.now(),
  };
  if (MODERN) {
    const traceContext = takeTraceContext(clientContext);
    context.xRayTraceId = header.traceId;
    context.w3c = () => traceContext;
  }
  return context;
}

module.exports = {
  buildContext,
};
