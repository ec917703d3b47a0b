import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from "node:tls";
import type { Clock } from "#core/clock";
import type { TlsIdentity } from "./identity.ts";

/** How long a client may take from connecting to the end of its handshake. */
const HANDSHAKE_MS = 10_000;

/**
 * How many clients may be at it at once. One more ends the oldest: those that never finish hold places, and whoever
 * does finish needs one for a few round trips alone.
 */
const MOST_HANDSHAKES = 1024;

/** The first byte of a TLS record with a handshake in it (RFC 8446, 5.1). */
const HANDSHAKE_RECORD = 0x16;

/** Takes connections, ends their TLS, and hands them on; whoever speaks plain HTTP is told so. */
export class TlsFront {
  /** To listen on. */
  readonly server: Server;
  readonly #tls: TlsServer;
  readonly #clock: Clock;
  readonly #most: number;
  /** Sockets that have not shaken hands yet, the oldest first, by both their ends: TLS hands on another object. */
  readonly #pending = new Map<string, Socket>();

  constructor(options: {
    readonly identity: TlsIdentity;
    readonly clock: Clock;
    readonly onConnection: (socket: TLSSocket) => void;
    /** Handshakes at once. Default: 1024 */
    readonly most?: number;
  }) {
    const { identity, clock, onConnection, most = MOST_HANDSHAKES } = options;
    this.#clock = clock;
    this.#most = most;
    this.#tls = createTlsServer({ ...contextOf(identity), ALPNProtocols: ["http/1.1"] }, (socket) => {
      this.#pending.delete(endsOf(socket));
      onConnection(socket);
    });
    this.server = createTcpServer({ noDelay: true }, (socket) => this.#greet(socket));
  }

  /** Shows another certificate to who comes from now on. @throws Error where OpenSSL does not take it */
  use(identity: TlsIdentity): void {
    this.#tls.setSecureContext(contextOf(identity));
  }

  /** Takes no more connections, and ends those that have not shaken hands. */
  close(): void {
    this.server.close();
    for (const socket of this.#pending.values()) socket.destroy();
  }

  #greet(socket: Socket): void {
    const ends = endsOf(socket);
    const late = this.#clock.after(HANDSHAKE_MS, () => {
      if (this.#pending.get(ends) === socket) socket.destroy();
    });
    this.#pending.set(ends, socket);
    socket.once("close", () => {
      late.cancel();
      if (this.#pending.get(ends) === socket) this.#pending.delete(ends);
    });
    // Such as a reset, of a client whose connection is of no use any more.
    socket.on("error", () => {});
    if (this.#pending.size > this.#most) this.#pending.values().next().value?.destroy();
    socket.once("readable", () => this.#read(socket));
  }

  #read(socket: Socket): void {
    const first = socket.read(1) as Buffer | null;
    if (first === null) {
      socket.destroy();
      return;
    }
    if (first[0] === HANDSHAKE_RECORD) {
      socket.unshift(first);
      this.#tls.emit("connection", socket);
    } else if (isLetter(first[0])) tellOfTls(socket);
    else socket.destroy();
  }
}

function contextOf({ certificate, privateKey }: TlsIdentity) {
  return { cert: certificate, key: privateKey, minVersion: "TLSv1.2" } as const;
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

/** As every HTTP request begins. */
function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x41 && byte <= 0x5a;
}

function tellOfTls(socket: Socket): void {
  const body = `${JSON.stringify({ message: "This port speaks TLS: use https:// in place of http://" })}\n`;
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
  // A client that still sends would be reset, and never read the answer; it has the rest of its handshake's time.
  socket.resume();
}
