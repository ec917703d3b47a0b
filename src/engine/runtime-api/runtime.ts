import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { Answer, GuestEvent, InitError } from "../environment/channel.ts";
import { MAX_RESPONSE_BYTES } from "../invocation/errors.ts";
import { readBody } from "./body.ts";
import { ApiError, invalidRequestId, runtimeTransition, sendAccepted } from "./reply.ts";

/** Takes a response that a runtime streams; without one it is gathered and told whole. */
export interface StreamListener {
  began(requestId: string, contentType: string): void;
  /** The next bytes; `Runtime.taken` says when they have gone on. @returns `false` to have the rest thrown away */
  chunk(bytes: Buffer): boolean;
  /** @param error the error's document, where it broke off */
  ended(requestId: string, error: Buffer | undefined): void;
}

/** How many bytes of a streamed response are read ahead of those that have been taken. */
const WINDOW_BYTES = 256 * 1024;

/** What a runtime tells by its API. Only what its state allows gets here. */
export interface RuntimeListener {
  initialised(): void;
  initFailed(error: InitError): void;
  answered(requestId: string, answer: Answer): void;
  /** It asks for the next event, having answered the one before. */
  waiting(): void;
  readonly stream?: StreamListener;
}

/** The states of AWS's runtime interface emulator, by the names that its error messages use. */
type State =
  | "RuntimeStarted"
  | "RuntimeInitError"
  | "RuntimeReady"
  | "RuntimeRunning"
  | "RuntimeInvocationResponse"
  | "RuntimeInvocationErrorResponse"
  | "RuntimeResponseSent";

/** The Runtime API, version 2018-06-01, of one environment. */
export class Runtime {
  readonly #listener: RuntimeListener;
  #state: State = "RuntimeStarted";
  #poll: ServerResponse | undefined;
  #event: GuestEvent | undefined;
  /** The request that streams the response, and how many of its bytes have not been taken yet. */
  #streamed: { readonly request: IncomingMessage; ahead: number } | undefined;

  constructor(listener: RuntimeListener) {
    this.#listener = listener;
  }

  /** Gives an event to the runtime, which waits for one. */
  invoke(event: GuestEvent): void {
    this.#event = event;
    this.#state = "RuntimeRunning";
    this.#deliver();
  }

  /** GET runtime/invocation/next */
  next(response: ServerResponse): void {
    switch (this.#state) {
      case "RuntimeStarted":
        this.#wait(response);
        this.#state = "RuntimeReady";
        return this.#listener.initialised();
      case "RuntimeResponseSent":
        this.#wait(response);
        this.#state = "RuntimeReady";
        return this.#listener.waiting();
      case "RuntimeReady":
        return this.#wait(response);
      case "RuntimeRunning":
        // Asked again without an answer: the connection of the first request may have broken. It gets the same event.
        this.#wait(response);
        return this.#deliver();
      case "RuntimeInitError":
      case "RuntimeInvocationResponse":
      case "RuntimeInvocationErrorResponse":
        throw runtimeTransition(this.#state, "RuntimeReady");
    }
  }

  /** POST runtime/invocation/{id}/response, in one piece or streamed */
  async respond(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const event = this.#answerable(id, "RuntimeInvocationResponse");
    const mode = request.headers["lambda-runtime-function-response-mode"];
    if (mode !== undefined && mode !== "streaming")
      throw new ApiError(400, "InvalidFunctionResponseMode", "Invalid function response mode");
    this.#state = "RuntimeInvocationResponse";
    const { stream } = this.#listener;
    if (mode === "streaming" && stream !== undefined) {
      await this.#stream(event, stream, request);
      return sendAccepted(response);
    }
    const body = await readBody(request, MAX_RESPONSE_BYTES);
    switch (body.kind) {
      case "cut-off":
        // Nothing was answered, and the runtime may try again within the invocation's time.
        if (this.#event === event) this.#state = "RuntimeRunning";
        throw new ApiError(400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
      case "too-large":
        this.#answer(event, { kind: "too-large", bytes: undefined });
        throw tooLarge();
      case "whole": {
        const failure = mode === "streaming" ? trailedError(request) : undefined;
        if (failure === undefined)
          this.#answer(event, { kind: "response", payload: body.bytes, maxRssKb: 0 });
        else this.#answer(event, { kind: "error", payload: failure, maxRssKb: 0 });
        return sendAccepted(response);
      }
    }
  }

  /** So many bytes of the streamed response have gone on: as many more may be read. */
  taken(bytes: number): void {
    const streamed = this.#streamed;
    if (streamed === undefined) return;
    streamed.ahead -= bytes;
    if (streamed.ahead < WINDOW_BYTES) streamed.request.resume();
  }

  /** POST runtime/invocation/{id}/error */
  async fail(id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const event = this.#answerable(id, "RuntimeInvocationErrorResponse");
    this.#state = "RuntimeInvocationErrorResponse";
    const error = await readError(request);
    if (error === "cut-off") {
      if (this.#event === event) this.#state = "RuntimeRunning";
      throw new ApiError(400, "TruncatedHTTPRequest", "HTTP request detected as truncated");
    }
    if (error === "too-large") {
      this.#answer(event, { kind: "too-large", bytes: undefined });
      throw tooLarge();
    }
    this.#answer(event, { kind: "error", payload: error.payload, maxRssKb: 0 });
    sendAccepted(response);
  }

  /** POST runtime/init/error */
  async initFailed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#state !== "RuntimeStarted") throw runtimeTransition(this.#state, "RuntimeInitError");
    this.#state = "RuntimeInitError";
    const error = await readError(request);
    sendAccepted(response);
    this.#listener.initFailed(
      typeof error === "string" ? { errorType: "Runtime.Unknown", payload: Buffer.from("{}") } : error,
    );
  }

  /** Passes a response on as it comes. The runtime is held back by its connection where nobody takes it. */
  async #stream(event: GuestEvent, stream: StreamListener, request: IncomingMessage): Promise<void> {
    const streamed = { request, ahead: 0 };
    this.#streamed = streamed;
    stream.began(event.requestId, request.headers["content-type"] ?? "application/octet-stream");
    const whole = await new Promise<boolean>((resolve) => {
      let wanted = true;
      request.on("data", (chunk: Buffer) => {
        if (!wanted || this.#event !== event) return;
        streamed.ahead += chunk.length;
        wanted = stream.chunk(chunk);
        if (wanted && streamed.ahead >= WINDOW_BYTES) request.pause();
      });
      request.once("end", () => resolve(true));
      request.once("close", () => resolve(false));
    });
    this.#streamed = undefined;
    if (this.#event !== event) return;
    this.#state = "RuntimeResponseSent";
    const truncated = {
      errorType: "Runtime.TruncatedResponse",
      errorMessage: "Response stream was truncated",
    };
    stream.ended(event.requestId, whole ? trailedError(request) : Buffer.from(JSON.stringify(truncated)));
  }

  #answerable(id: string, to: State): GuestEvent {
    const event = this.#event;
    if (event === undefined || id !== event.requestId) throw invalidRequestId();
    if (this.#state !== "RuntimeRunning") throw runtimeTransition(this.#state, to);
    return event;
  }

  #answer(event: GuestEvent, answer: Answer): void {
    if (this.#event !== event) return;
    this.#state = "RuntimeResponseSent";
    this.#listener.answered(event.requestId, answer);
  }

  /** Keeps a request until there is an event. The latest counts: who asks twice has given up on the first. */
  #wait(response: ServerResponse): void {
    this.#poll?.destroy();
    this.#poll = response;
    response.once("close", () => {
      if (this.#poll === response) this.#poll = undefined;
    });
  }

  #deliver(): void {
    const response = this.#poll;
    const event = this.#event;
    if (response === undefined || event === undefined) return;
    this.#poll = undefined;
    response.writeHead(200, eventHeaders(event));
    response.end(event.payload);
  }
}

function eventHeaders(event: GuestEvent): OutgoingHttpHeaders {
  return {
    "Content-Type": "application/json",
    "Content-Length": event.payload.length,
    "Lambda-Runtime-Aws-Request-Id": event.requestId,
    "Lambda-Runtime-Deadline-Ms": String(event.deadlineMs),
    "Lambda-Runtime-Invoked-Function-Arn": event.invokedFunctionArn,
    "Lambda-Runtime-Trace-Id": event.traceId,
    ...(event.clientContext === undefined
      ? {}
      : { "Lambda-Runtime-Client-Context": headerText(event.clientContext) }),
    ...(event.tenantId === undefined ? {} : { "Lambda-Runtime-Aws-Tenant-Id": event.tenantId }),
  };
}

/** JSON as a header may carry it: other than printable ASCII is escaped, and line breaks between its tokens become spaces. */
function headerText(json: string): string {
  return json
    .replaceAll(/[\t\n\r]/g, " ")
    .replaceAll(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function tooLarge(): ApiError {
  return new ApiError(
    413,
    "RequestEntityTooLarge",
    `Exceeded maximum allowed payload size (${MAX_RESPONSE_BYTES} bytes).`,
  );
}

/** The error that a runtime tells by its body, else by its header (OpenAPI document of the Runtime API, "A note on error reporting"). */
async function readError(request: IncomingMessage): Promise<InitError | "cut-off" | "too-large"> {
  const body = await readBody(request, MAX_RESPONSE_BYTES);
  if (body.kind !== "whole") return body.kind;
  const header = request.headers["lambda-runtime-function-error-type"];
  const told = typeof header === "string" && header !== "" ? header.slice(0, 256) : undefined;
  if (body.bytes.length === 0) {
    const errorType = told ?? "Runtime.Unknown";
    return { errorType, payload: Buffer.from(JSON.stringify({ errorType })) };
  }
  return { errorType: told ?? typeIn(body.bytes) ?? "Runtime.Unknown", payload: body.bytes };
}

/** A document's `errorType`. Large ones are not parsed for it: that would hold up the platform for a name in a log line. */
function typeIn(document: Buffer): string | undefined {
  if (document.length > 256 * 1024) return undefined;
  try {
    const value: unknown = JSON.parse(document.toString("utf8"));
    if (typeof value !== "object" || value === null || !("errorType" in value)) return undefined;
    return typeof value.errorType === "string" ? value.errorType.slice(0, 256) : undefined;
  } catch {
    return undefined;
  }
}

/** What a streamed response that broke off says in its trailers: the type, and the error's JSON in base64. */
function trailedError(request: IncomingMessage): Buffer | undefined {
  const errorType = request.trailers["lambda-runtime-function-error-type"];
  if (errorType === undefined) return undefined;
  const body = request.trailers["lambda-runtime-function-error-body"];
  const decoded = body === undefined ? Buffer.alloc(0) : Buffer.from(body, "base64");
  return decoded.length > 0 ? decoded : Buffer.from(JSON.stringify({ errorType }));
}
