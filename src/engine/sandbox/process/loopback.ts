import { once } from "node:events";
import { createSocket } from "node:dgram";
import type { Socket as DatagramSocket } from "node:dgram";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { GuestListener, RuntimeApiListener } from "../contract.ts";

/**
 * Connections that one environment may have with its Runtime API. A runtime has one or two, ten extensions a few each;
 * more would take the platform's descriptors, and with them every other environment's.
 */
export const MOST_CONNECTIONS = 128;

/** A listener on a loopback port of its own. Any process of this host can reach it: sandboxes without a network of their own have no better. */
export async function listenOnLoopback({
  onRequest,
  onDatagram,
}: GuestListener): Promise<RuntimeApiListener> {
  const server = createServer(onRequest);
  // A runtime waits for its next event as long as it takes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  server.maxConnections = MOST_CONNECTIONS;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const datagrams = await datagramsOnLoopback(port, onDatagram);
  return {
    address: `127.0.0.1:${port}`,
    datagrams: datagrams !== undefined,
    close: () => {
      datagrams?.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Undefined where another program has the port. */
async function datagramsOnLoopback(
  port: number,
  onDatagram: GuestListener["onDatagram"],
): Promise<DatagramSocket | undefined> {
  const socket = createSocket("udp4", onDatagram);
  try {
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    // What goes wrong with one datagram is no reason to take no more.
    socket.on("error", () => undefined);
    return socket;
  } catch {
    socket.close();
    return undefined;
  }
}

/** Connects to a port of the host's loopback, which is that of its sandboxes too. */
export async function connectToLoopback(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}
