import { spawn } from "node:child_process";
import { Socket as DatagramSocket } from "node:dgram";
import { Server } from "node:net";
import { PATH } from "./shell.ts";

/**
 * Listens, then hands the listening socket over the channel that Node.js opens between a process and its child
 * (SCM_RIGHTS underneath) and ends. A socket stays in the namespace that it was made in, whoever holds it.
 */
const LISTENER = `
const server = require("node:net").createServer();
const [address, port] = process.argv.slice(1);
server.on("error", (error) => process.send({ error: error.message }, () => process.exit(1)));
server.listen(Number(port), address, () => process.send({}, server, () => process.exit(0)));
`;

const BINDER = `
const socket = require("node:dgram").createSocket("udp4");
const [address, port] = process.argv.slice(1);
socket.on("error", (error) => process.send({ error: error.message }, () => process.exit(1)));
socket.bind(Number(port), address, () => process.send({}, socket, () => process.exit(0)));
`;

/**
 * A TCP socket of this process that listens in another network namespace. Measured: as long as a bare start of
 * Node.js takes (about 40 ms of a core).
 * @param enter argument vector that enters the namespace
 */
export function plant(enter: readonly string[], address: string, port: number): Promise<Server> {
  return planted(LISTENER, enter, address, port, (handle) => handle instanceof Server);
}

/** The same, for UDP. */
export function plantDatagrams(
  enter: readonly string[],
  address: string,
  port: number,
): Promise<DatagramSocket> {
  return planted(BINDER, enter, address, port, (handle) => handle instanceof DatagramSocket);
}

function planted<T>(
  script: string,
  enter: readonly string[],
  address: string,
  port: number,
  isWanted: (handle: unknown) => handle is T,
): Promise<T> {
  const command: readonly string[] = [...enter, process.execPath, "-e", script, address, String(port)];
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe", "ipc"], env: { PATH } });
    let errors = "";
    let socket: T | undefined;
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("message", (message: { readonly error?: string }, handle) => {
      if (isWanted(handle)) socket = handle;
      else errors = message.error ?? errors;
    });
    child.on("close", () => {
      if (socket === undefined) reject(new Error(`cannot listen on ${address}:${port}: ${errors.trim()}`));
      else resolve(socket);
    });
  });
}
