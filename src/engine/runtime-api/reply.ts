import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** An error as these APIs tell it; status, type and message are those of AWS's open runtime interface emulator. */
export class ApiError extends Error {
  readonly status: number;
  readonly errorType: string;

  constructor(status: number, errorType: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.errorType = errorType;
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

export function sendAccepted(response: ServerResponse): void {
  sendJson(response, 202, { status: "OK" });
}

export function sendError(response: ServerResponse, error: ApiError): void {
  sendJson(response, error.status, { errorMessage: error.message, errorType: error.errorType });
}

export function invalidRequestId(): ApiError {
  return new ApiError(400, "InvalidRequestID", "Invalid request ID");
}

export function runtimeTransition(from: string, to: string): ApiError {
  return new ApiError(
    403,
    "InvalidStateTransition",
    `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`,
  );
}

export function extensionTransition(from: string, to: string, extension: string): ApiError {
  return new ApiError(
    403,
    "Extension.InvalidExtensionState",
    `State transition from ${from} to ${to} failed for extension ${extension}. Error: State transition is not allowed`,
  );
}
