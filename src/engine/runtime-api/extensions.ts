import type { IncomingMessage, ServerResponse } from "node:http";
import type { Ids } from "#core/ids";
import type { GuestEvent } from "../environment/channel.ts";
import { asRecord } from "../environment/frame-channel.ts";
import { readBody } from "./body.ts";
import { ApiError, extensionTransition, sendAccepted, sendJson } from "./reply.ts";

/** AWS Lambda Developer Guide, "Using the Lambda Extensions API": up to ten for a function. */
export const MAX_EXTENSIONS = 10;
/** A list of events. A guest may have a thousand requests open at once. */
const MAX_BODY_BYTES = 16 * 1024;

/** As AWS sends it: in lower case, other than its documentation writes it. */
export type ShutdownReason = "spindown" | "timeout" | "failure";

export type ExtensionEvent = "INVOKE" | "SHUTDOWN";

/** What an extension learns of its function when it registers. */
export interface FunctionIdentity {
  readonly account: string;
  readonly name: string;
  readonly version: string;
  readonly handler: string;
}

export interface ExtensionsListener {
  /** It has registered, or come back for its next event: a phase may be over. */
  progressed(): void;
  /** Its first call of `next`. */
  settled(extension: ExtensionView): void;
  /** It reported an error and is to exit. */
  failed(
    extension: ExtensionView,
    kind: "Extension.InitError" | "Extension.ExitError",
    errorType: string,
  ): void;
}

export interface ExtensionView {
  readonly name: string;
  readonly external: boolean;
  readonly events: readonly ExtensionEvent[];
  /** By the names of AWS's emulator. */
  readonly state: State;
  /** Its first call of `next` has come. */
  readonly ready: boolean;
  /** Why it failed, where it has. */
  readonly errorType: string | undefined;
}

type State = "Started" | "Registered" | "Ready" | "Running" | "InitError" | "ExitError" | "LaunchError";

export interface ExtensionsOptions {
  /** File names of the executables in /opt/extensions, which are started with the environment. */
  readonly external: readonly string[];
  readonly identity: FunctionIdentity;
  readonly ids: Pick<Ids, "uuid">;
  /**
   * Whether internal extensions are waited for. Not where the runtime is the platform's own: its process stands still
   * between events, so that what they would ask for comes with the next event only.
   */
  readonly awaitInternal: boolean;
}

interface Extension extends ExtensionView {
  readonly id: string;
  state: State;
  events: readonly ExtensionEvent[];
  poll: ServerResponse | undefined;
  /** What it is given when it asks next. */
  pending: object | undefined;
  ready: boolean;
  errorType: string | undefined;
}

/** The Extensions API, version 2020-01-01, of one environment. */
export class Extensions {
  readonly #options: ExtensionsOptions;
  readonly #listener: ExtensionsListener;
  readonly #all: Extension[];
  #open = true;

  constructor(options: ExtensionsOptions, listener: ExtensionsListener) {
    this.#options = options;
    this.#listener = listener;
    this.#all = options.external.slice(0, MAX_EXTENSIONS + 1).map((name) => this.#make(name, true));
    const [oneTooMany] = this.#all.slice(MAX_EXTENSIONS);
    if (oneTooMany !== undefined) notLaunched(oneTooMany, "TooManyExtensions");
  }

  /** There is none, and after the init phase none can come. */
  get none(): boolean {
    return this.#all.length === 0;
  }

  /** Every external extension has registered: the runtime may start. */
  get registered(): boolean {
    return this.#all.every(hasRegistered);
  }

  /** Every one waits for an event: the init or invoke phase is over as far as they go. */
  get waiting(): boolean {
    const { awaitInternal } = this.#options;
    return this.#all.every(({ state, external }) => state === "Ready" || !(external || awaitInternal));
  }

  /** How long the shutdown phase may take, in milliseconds ("Shutdown phase: Duration limit"). */
  get shutdownMs(): number {
    if (this.#all.some((extension) => extension.external && hasRegistered(extension))) return 2000;
    return this.#all.length > 0 ? 500 : 0;
  }

  /** The external ones that are to get a SHUTDOWN event, by their place in the list of external extensions. */
  get waitingForShutdown(): readonly number[] {
    return this.#all.flatMap(({ events, state }, index) =>
      events.includes("SHUTDOWN") && state !== "InitError" && state !== "ExitError" ? [index] : [],
    );
  }

  get all(): readonly ExtensionView[] {
    return this.#all;
  }

  view(index: number): ExtensionView | undefined {
    return this.#all[index];
  }

  /** Its process has ended. @param status 126 where it could not be run for want of permission */
  crashed(index: number, errorType: string, status: number): void {
    const extension = this.#all[index];
    if (extension === undefined) return;
    if (errorType === "Extension.LaunchError")
      notLaunched(extension, status === 126 ? "PermissionDenied" : "UnknownError");
    extension.errorType ??= errorType;
  }

  /** From the end of the init phase on nobody may register. */
  close(): void {
    this.#open = false;
  }

  get open(): boolean {
    return this.#open;
  }

  invoke(event: GuestEvent): void {
    for (const extension of this.#all)
      if (extension.events.includes("INVOKE")) {
        extension.state = "Running";
        this.#give(extension, {
          eventType: "INVOKE",
          deadlineMs: event.deadlineMs,
          requestId: event.requestId,
          invokedFunctionArn: event.invokedFunctionArn,
          tracing: { type: "X-Amzn-Trace-Id", value: event.traceId },
        });
      }
  }

  shutdown(reason: ShutdownReason, deadlineMs: number): void {
    for (const extension of this.#all)
      if (extension.events.includes("SHUTDOWN"))
        this.#give(extension, { eventType: "SHUTDOWN", shutdownReason: reason, deadlineMs });
  }

  /** POST extension/register */
  async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.headers["lambda-extension-name"];
    if (typeof name !== "string" || name === "")
      throw new ApiError(403, "Extension.InvalidExtensionName", "Empty extension name");
    if (name.length > 255)
      throw new ApiError(403, "Extension.InvalidExtensionName", "Invalid extension name");
    const body = await readBody(request, MAX_BODY_BYTES);
    const events = eventsIn(body.kind === "whole" ? body.bytes : Buffer.alloc(0));
    let extension = this.#all.find((each) => each.external && each.name === name);
    if (extension === undefined) {
      if (events.includes("SHUTDOWN"))
        throw new ApiError(
          403,
          "Extension.InvalidEventType",
          "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension",
        );
      extension = this.#addInternal(name);
    } else if (extension.state !== "Started")
      throw extensionTransition(extension.state, "Registered", extension.name);
    extension.state = "Registered";
    extension.events = events;
    const { account, handler, name: functionName, version } = this.#options.identity;
    const wanted = String(request.headers["lambda-extension-accept-feature"] ?? "").split(/\s*,\s*/);
    sendJson(
      response,
      200,
      {
        ...(wanted.includes("accountId") ? { accountId: account } : {}),
        functionName,
        functionVersion: version,
        handler,
      },
      { "Lambda-Extension-Identifier": extension.id },
    );
    this.#listener.progressed();
  }

  /** GET extension/event/next */
  next(request: IncomingMessage, response: ServerResponse): void {
    const extension = this.identify(request);
    const { state } = extension;
    if (state !== "Registered" && state !== "Running" && state !== "Ready")
      throw extensionTransition(state, "Ready", extension.id);
    if (!extension.ready) {
      extension.ready = true;
      this.#listener.settled(extension);
    }
    extension.poll?.destroy();
    extension.poll = response;
    response.once("close", () => {
      if (extension.poll === response) extension.poll = undefined;
    });
    if (extension.pending !== undefined) return this.#give(extension, extension.pending);
    extension.state = "Ready";
    if (state !== "Ready") this.#listener.progressed();
  }

  /** POST extension/init/error and extension/exit/error */
  fail(
    kind: "Extension.InitError" | "Extension.ExitError",
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const extension = this.identify(request);
    const header = request.headers["lambda-extension-function-error-type"];
    if (typeof header !== "string" || header === "")
      throw new ApiError(403, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
    const to = kind === "Extension.InitError" ? "InitError" : "ExitError";
    const allowed = to === "ExitError" ? ["Registered", "Ready", "Running"] : ["Registered"];
    if (!allowed.includes(extension.state)) throw extensionTransition(extension.state, to, extension.id);
    extension.state = to;
    extension.errorType = header.slice(0, 256);
    // Its document is for nobody: the log tells the type.
    request.resume();
    sendAccepted(response);
    this.#listener.failed(extension, kind, extension.errorType);
  }

  /** @throws ApiError where the request names no extension of this environment */
  identify(request: IncomingMessage): Extension {
    const id = request.headers["lambda-extension-identifier"];
    if (typeof id !== "string" || id === "")
      throw new ApiError(
        403,
        "Extension.MissingExtensionIdentifier",
        "Missing Lambda-Extension-Identifier header",
      );
    if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
      throw new ApiError(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier");
    const extension = this.#all.find((each) => each.id === id.toLowerCase());
    if (extension === undefined)
      throw new ApiError(403, "Extension.UnknownExtensionIdentifier", `Unknown extension ${id}`);
    return extension;
  }

  #addInternal(name: string): Extension {
    if (!this.#open)
      throw new ApiError(403, "Extension.RegistrationClosed", "Extension registration closed already");
    if (this.#all.some((each) => each.name === name))
      throw new ApiError(
        403,
        "Extension.InvalidExtensionState",
        "Extension with this name already registered",
      );
    if (this.#all.length >= MAX_EXTENSIONS)
      throw new ApiError(403, "Extension.TooManyExtensions", `Extension limit (${MAX_EXTENSIONS}) reached`);
    const extension = this.#make(name, false);
    this.#all.push(extension);
    return extension;
  }

  #make(name: string, external: boolean): Extension {
    return {
      id: this.#options.ids.uuid(),
      name,
      external,
      state: "Started",
      events: [],
      poll: undefined,
      pending: undefined,
      ready: false,
      errorType: undefined,
    };
  }

  /** Kept for the next request where none waits. */
  #give(extension: Extension, event: object): void {
    extension.pending = event;
    const response = extension.poll;
    if (response === undefined) return;
    extension.poll = undefined;
    extension.pending = undefined;
    sendJson(response, 200, event, { "Lambda-Extension-Event-Identifier": this.#options.ids.uuid() });
  }
}

function hasRegistered({ state }: ExtensionView): boolean {
  return state !== "Started" && state !== "LaunchError";
}

/** The words of AWS's emulator, which a function's log has, too. */
function notLaunched(
  extension: Extension,
  why: "TooManyExtensions" | "PermissionDenied" | "UnknownError",
): void {
  extension.state = "LaunchError";
  extension.errorType = why;
}

function eventsIn(body: Buffer): readonly ExtensionEvent[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    throw new ApiError(403, "InvalidRequestFormat", "The body is not JSON");
  }
  const events = asRecord(value)["events"] ?? [];
  if (!Array.isArray(events) || !events.every((event) => typeof event === "string"))
    throw new ApiError(403, "InvalidRequestFormat", "events must be an array of strings");
  return events.map((event) => {
    if (event === "INVOKE" || event === "SHUTDOWN") return event;
    throw new ApiError(403, "Extension.InvalidEventType", `${event.slice(0, 100)}: ErrorInvalidEventType`);
  });
}
