import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Server as TcpServer, Socket } from "node:net";
import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Clock } from "#core/clock";
import { OperatorError } from "#core/errors";
import { isLoopback } from "#core/loopback";
import { TlsFront } from "./tls/front.ts";
import type { TlsIdentity } from "./tls/identity.ts";
import { RequestsUnderWay } from "./requests-under-way.ts";
import { UploadBody } from "./upload-body.ts";

/** An HTTP request. */
export interface HttpRequest {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  /** Query as sent, without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Read to its end, or a stream where `streams` asked for one. */
  readonly body: Buffer | Readable;
  readonly remoteAddress: string;
  /** Whether the client is on this machine, by whichever of its addresses it came. */
  readonly fromThisHost: boolean;
  /** Scheme and authority that the client used. */
  readonly baseUrl: string;
  /** Aborted when the connection closes before the response has ended. */
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Several values are several headers of that name. */
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer | string | Readable | AsyncIterable<Uint8Array> | undefined;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Bodies beyond this many bytes are answered with 413 and not read further. */
  readonly maxBodyBytes: number;
  /** Another limit than `maxBodyBytes`, of 64 KiB or more, for a request of which no more than this is known yet. */
  readonly bodyLimit?: (host: string | undefined, path: string) => number | undefined;
  /** Whether a request's body, of any size, is handed on as it comes; where it is missing, none is. */
  readonly streams?: (method: string, url: string, headers: HttpRequest["headers"]) => boolean;
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>;
  /** Told of errors that `handle` let through; the client gets a bare 500. */
  readonly onError: (error: unknown) => void;
  /** Where it is there, connections to the address are TLS. */
  readonly tls?: { readonly identity: TlsIdentity; readonly clock: Clock } | undefined;
  /** The host that `url` names, where it is another than `host`. */
  readonly publicHost?: string;
}

export interface Listener {
  /** `http://127.0.0.1:4566`; `https://…` with TLS. */
  readonly url: string;
  /** Without TLS the same. With it, a port of loopback alone, for what runs on this host and cannot know whom to trust. */
  readonly plainUrl: string;
  /** Shows another certificate from now on. @throws Error where TLS does not take it */
  useIdentity(identity: TlsIdentity): void;
  /**
   * Takes no more connections and resolves when every request that was read whole is answered; connections that are
   * still sending one are cut then, so that a client which never finishes holds nothing up. Call once.
   */
  close(): Promise<void>;
  /** Serves a connection that was accepted elsewhere, such as on an address of functions' own network. */
  accept(socket: Socket): void;
  /** Cuts every connection, answered or not: for clients that do not read their answers. */
  cut(): void;
}

/** @throws OperatorError where the address is in use or may not be bound */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const requests = new RequestsUnderWay();
  const serving: Serving = { ...options, requests };
  const server = createServer(
    // Node's default of 5 s would close connections under SDKs that keep them for longer, which they see as ECONNRESET.
    { keepAliveTimeout: 75_000, headersTimeout: 80_000, requestTimeout: 0, noDelay: true },
    (incoming, outgoing) => accept(serving, incoming, outgoing),
  );
  const { host, port, tls, publicHost = host } = options;
  const serve = (socket: Socket): void => void server.emit("connection", socket);
  const front = tls === undefined ? undefined : new TlsFront({ ...tls, onConnection: serve });
  const outer: TcpServer = front?.server ?? server;
  await bind(outer, host, port);
  // A server that listens keeps account of its connections, also of those that come by the front.
  if (front !== undefined)
    await bind(server, LOOPBACK, 0).catch((error: unknown) => {
      front.close();
      throw error;
    });
  // Such as too many open files while accepting: the connection is lost, the listener is not.
  for (const each of new Set([outer, server])) each.on("error", options.onError);
  const url = `${front === undefined ? "http" : "https"}://${authority(publicHost, portOf(outer))}`;
  return {
    url,
    plainUrl: front === undefined ? url : `http://${authority(LOOPBACK, portOf(server))}`,
    useIdentity: (identity) => front?.use(identity),
    async close() {
      front?.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await requests.drain();
      server.closeAllConnections();
      await closed;
    },
    accept: serve,
    cut: () => server.closeAllConnections(),
  };
}

const LOOPBACK = "127.0.0.1";

function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function portOf(server: TcpServer): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface Serving extends ListenerOptions {
  readonly requests: RequestsUnderWay;
}

function bind(server: TcpServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE"
          ? `Port ${port} of ${host} is in use. Is another thaw running? Choose another port with --port.`
          : `Cannot listen on ${host} port ${port}: ${error.message}`;
      reject(new OperatorError(reason));
    });
    server.listen(port, host, () => resolve());
  });
}

/** How long a client may send nothing of a body that is streamed. */
const UPLOAD_IDLE_MS = 60_000;

function accept(options: Serving, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const expected = Number(incoming.headers["content-length"] ?? -1);
  const { method = "GET", url = "/" } = incoming;
  if (options.streams?.(method, url, incoming.headers as HttpRequest["headers"]) === true) {
    // A client that sends nothing more holds a file and a handler.
    incoming.setTimeout(UPLOAD_IDLE_MS, () => incoming.destroy());
    dispatch(options, incoming, outgoing, new ReceivedRequest(incoming, outgoing, new UploadBody(incoming)));
    return;
  }
  const small = expected >= 0 && expected <= SMALL_BODY_BYTES;
  const maxBodyBytes = small ? SMALL_BODY_BYTES : bodyLimit(options, incoming);
  if (expected > maxBodyBytes) {
    refuseLarge(maxBodyBytes, incoming, outgoing);
    return;
  }
  if (expected <= 0 && incoming.headers["transfer-encoding"] === undefined) {
    dispatch(options, incoming, outgoing, new ReceivedRequest(incoming, outgoing, EMPTY));
    return;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  incoming.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBodyBytes) {
      chunks.length = 0;
      incoming.removeAllListeners("data");
      incoming.removeAllListeners("end");
      refuseLarge(maxBodyBytes, incoming, outgoing);
    } else chunks.push(chunk);
  });
  incoming.on("end", () => {
    const [only] = chunks;
    const body = chunks.length === 1 && only ? only : Buffer.concat(chunks, size);
    dispatch(options, incoming, outgoing, new ReceivedRequest(incoming, outgoing, body));
  });
  // A connection that breaks in the middle of a body: there is nobody to answer.
  incoming.on("error", () => {});
}

/** No limit is below this, so that it need not be asked for. */
const SMALL_BODY_BYTES = 64 * 1024;

function bodyLimit({ maxBodyBytes, bodyLimit: limitOf }: ListenerOptions, incoming: IncomingMessage): number {
  const [path = "/"] = (incoming.url ?? "/").split("?", 1);
  return limitOf?.(incoming.headers.host, path) ?? maxBodyBytes;
}

const EMPTY = Buffer.alloc(0);

/**
 * Answers 413 and discards as much again as a body may have: closing at once would reset the connection under clients
 * that read no answer before they have sent everything (as most do), and they would never see the 413.
 */
function refuseLarge(maxBodyBytes: number, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const body = JSON.stringify({ message: `Request must be smaller than ${maxBodyBytes} bytes` });
  outgoing.writeHead(413, {
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
  });
  outgoing.end(body);
  discardRest(maxBodyBytes, incoming);
  incoming.on("error", () => {});
}

/** Reads on for as much as a body may have, so that a client which sends before it reads sees the answer. */
function discardRest(maxBodyBytes: number, incoming: IncomingMessage): void {
  let discarded = 0;
  incoming.on("data", (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > maxBodyBytes) incoming.destroy();
  });
  // Whoever had the body may have held it back.
  incoming.resume();
}

function dispatch(
  options: Serving,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  request: HttpRequest,
): void {
  const { requests } = options;
  requests.begin(outgoing);
  options.handle(request).then(
    (response) => {
      const answer = { options, incoming, outgoing, request, response };
      if (isWhole(response.body)) answers.add(answer);
      // Its stream may break off, and tell of it, at any time from now on.
      else write(answer);
    },
    (error: unknown) => {
      fail(options, outgoing, error);
      requests.end();
    },
  );
}

interface ReadyAnswer {
  readonly options: Serving;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

/**
 * Answers that became ready in one turn of the event loop, to be written one right after the other at its end. To wake a
 * client that sleeps costs more than all else of a write, and one that is awake by the first answer reads the others
 * without: a tenth more answers a second at 16 connections.
 */
class ReadyAnswers {
  #ready: ReadyAnswer[] = [];

  add(answer: ReadyAnswer): void {
    this.#ready.push(answer);
    if (this.#ready.length === 1) setImmediate(this.#write);
  }

  readonly #write = (): void => {
    const ready = this.#ready;
    this.#ready = [];
    for (const answer of ready) write(answer);
  };
}

function write({ options, incoming, outgoing, request, response }: ReadyAnswer): void {
  try {
    if (!Buffer.isBuffer(request.body)) leaveUnread(options, incoming, request.body);
    respond(options, incoming, outgoing, response);
  } catch (error) {
    // A response that cannot be written, such as one with a line break in a header.
    fail(options, outgoing, error);
  }
  options.requests.end();
}

/** Of all listeners: they share the event loop. */
const answers = new ReadyAnswers();

/**
 * Where a streamed request is answered before its end, the rest is read and forgotten: closing at once would reset the
 * connection under a client that sends before it reads, and it would never see why.
 */
function leaveUnread({ maxBodyBytes }: Serving, incoming: IncomingMessage, body: Readable): void {
  if (incoming.complete && body.readableEnded) return;
  body.destroy();
  if (!incoming.complete) discardRest(maxBodyBytes, incoming);
}

function fail({ onError }: ListenerOptions, outgoing: ServerResponse, error: unknown): void {
  onError(error);
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(500, { "content-length": "0" }).end();
}

/** A class, so that what most requests never ask for (the abort signal) is made only when asked for. */
class ReceivedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer | Readable;
  readonly remoteAddress: string;
  readonly #localAddress: string | undefined;
  readonly #secure: boolean;
  readonly #outgoing: ServerResponse;
  #signal: AbortSignal | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer | Readable) {
    const url = incoming.url ?? "/";
    const mark = url.indexOf("?");
    this.method = incoming.method ?? "GET";
    this.path = mark === -1 ? url : url.slice(0, mark);
    this.query = mark === -1 ? "" : url.slice(mark + 1);
    // Only set-cookie comes as an array, and no AWS request has it.
    this.headers = incoming.headers as Record<string, string | undefined>;
    this.body = body;
    this.remoteAddress = incoming.socket.remoteAddress ?? "";
    this.#localAddress = incoming.socket.localAddress;
    this.#secure = (incoming.socket as Partial<TLSSocket>).encrypted === true;
    this.#outgoing = outgoing;
  }

  get fromThisHost(): boolean {
    return isLoopback(this.remoteAddress) || this.remoteAddress === this.#localAddress;
  }

  get baseUrl(): string {
    return `${this.#secure ? "https" : "http"}://${this.headers["host"] ?? "localhost"}`;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      const controller = new AbortController();
      const outgoing = this.#outgoing;
      outgoing.once("close", () => {
        if (!outgoing.writableFinished) controller.abort();
      });
      if (outgoing.destroyed) controller.abort();
      this.#signal = controller.signal;
    }
    return this.#signal;
  }
}

function isWhole(body: HttpResponse["body"]): body is Buffer | string | undefined {
  return body === undefined || typeof body === "string" || Buffer.isBuffer(body);
}

/** What is cheaper copied into the piece that holds the headers than written beside it. */
const SHORT_ANSWER_BYTES = 4096;

function respond(
  options: Serving,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  response: HttpResponse,
): void {
  const { status, headers, body } = response;
  // Tells clients that keep connections to take another one for what comes next.
  if (options.requests.draining) headers["connection"] = "close";
  if (isWhole(body)) {
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    if (status !== 204 && status !== 304) headers["content-length"] ??= String(length);
    outgoing.writeHead(status, headers);
    if (body === undefined || incoming.method === "HEAD") outgoing.end();
    else if (typeof body === "string" || length > SHORT_ANSWER_BYTES) outgoing.end(body);
    // As text, byte for byte: Node.js then writes it in one piece with the headers, not a list of two.
    else outgoing.end(body.toString("latin1"), "latin1");
    return;
  }
  outgoing.writeHead(status, headers);
  // Before there is anything of the body, which may be long in coming.
  outgoing.flushHeaders();
  const stream = body instanceof Readable ? body : Readable.from(body);
  stream.on("error", (error) => {
    options.onError(error);
    outgoing.destroy();
  });
  // Cut off before its end: the client must not take what it has for all there is.
  stream.on("close", () => {
    if (!stream.readableEnded) outgoing.destroy();
  });
  outgoing.on("close", () => stream.destroy());
  // The client went before there was an answer: nothing will close the stream any more.
  if (outgoing.destroyed) stream.destroy();
  // It broke off before anything could be heard of it.
  else if (stream.destroyed && !stream.readableEnded) outgoing.destroy();
  else stream.pipe(outgoing);
}
