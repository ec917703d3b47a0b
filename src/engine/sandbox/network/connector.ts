import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, Socket } from "node:net";
import type { Clock } from "#core/clock";
import { PATH } from "./shell.ts";

/** Whoever listens answers at once; one that lets its queue run full would hold whoever delivers to it. */
const CONNECT_MS = 2000;

/**
 * Connects, then hands the socket over the channel to its parent (SCM_RIGHTS underneath), unread. Ends with the channel,
 * so with the platform, however that ends.
 */
const CONNECTOR = `
const { Socket } = require("node:net");
process.on("message", ({ seq, address, port }) => {
  const socket = new Socket().pause();
  socket.setTimeout(${CONNECT_MS}, () => socket.destroy(new Error("no answer")));
  socket.once("error", (error) => process.connected && process.send({ seq, error: error.message }));
  socket.once("connect", () => { socket.setTimeout(0); process.send({ seq }, socket); });
  socket.connect(port, address);
});
process.on("disconnect", () => process.exit());
`;

interface Waiting {
  readonly resolve: (socket: Socket) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Connects from within another network namespace, by way of a process that lives there; it is started when first asked
 * and again where it has died.
 */
export class Connector {
  readonly #enter: readonly string[];
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #lastSeq = 0;
  #closed = false;

  /** @param enter argument vector that enters the namespace */
  constructor(enter: readonly string[]) {
    this.#enter = enter;
  }

  /** @throws Error where nobody listens, or answers within two seconds */
  connect(address: string, port: number): Promise<Socket> {
    if (this.#closed) return Promise.reject(new Error("closed"));
    const child = (this.#child ??= this.#start());
    const seq = ++this.#lastSeq;
    return new Promise((resolve, reject) => {
      this.#waiting.set(seq, { resolve, reject });
      child.send({ seq, address, port }, (error) => {
        if (error !== null) this.#settle(seq, undefined, error.message);
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  #start(): ChildProcess {
    const command: readonly string[] = [...this.#enter, process.execPath, "-e", CONNECTOR];
    const [program = "", ...args] = command;
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: { PATH },
      // A session of its own: Ctrl-C goes to the platform alone, which delivers telemetry until the last environment ends.
      detached: true,
    });
    child.unref();
    child.channel?.unref();
    child.on("message", (message: { readonly seq: number; readonly error?: string }, handle) =>
      this.#settle(message.seq, handle instanceof Socket ? handle : undefined, message.error),
    );
    const ended = (): void => {
      if (this.#child === child) this.#child = undefined;
      for (const seq of this.#waiting.keys()) this.#settle(seq, undefined, "the connector ended");
    };
    child.once("error", ended);
    child.once("exit", ended);
    return child;
  }

  #settle(seq: number, socket: Socket | undefined, error: string | undefined): void {
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (socket === undefined) waiting?.reject(new Error(error ?? "no socket came"));
    else if (waiting === undefined) socket.destroy();
    else waiting.resolve(socket);
  }
}

/** From the platform's own network namespace. @throws as `Connector.connect` */
export async function connectFromHere(address: string, port: number, clock: Clock): Promise<Socket> {
  const socket = connect(port, address);
  const timer = clock.after(CONNECT_MS, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    return socket;
  } finally {
    timer.cancel();
  }
}
