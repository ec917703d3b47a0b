import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { Enforcement, GuestListener, NetworkChoice, RuntimeApiListener } from "../contract.ts";
import type { EnvironmentNetwork, EtcTexts, NetworkProvider } from "../network/contract.ts";
import { listenOnLoopback, MOST_CONNECTIONS } from "../process/loopback.ts";

/** As AWS's: AWS_LAMBDA_RUNTIME_API is `169.254.100.1:9001`. */
const RUNTIME_API_PORT = 9001;

interface RuntimeApi {
  readonly guest: GuestListener;
  readonly connections: Set<Socket>;
}

/** The networks of sandboxes, and what of the platform is reached through them: the Runtime API and the AWS endpoint. */
export class SandboxNetworks {
  readonly #opened: Promise<NetworkProvider>;
  #provider: NetworkProvider | undefined;
  /** Acquired for a Runtime API, by the id of the sandbox that will start. */
  readonly #early = new Map<string, EnvironmentNetwork>();
  /** By the environments' addresses. */
  readonly #runtimeApis = new Map<string, RuntimeApi>();
  readonly #closers = new Map<string, () => void>();
  /** The one listener for all. */
  #runtimeApi: Promise<Pick<RuntimeApiListener, "datagrams"> & { readonly port: number }> | undefined;
  #published: Promise<void> | undefined;
  #endpointPort: number | undefined;

  /** Whoever asks for a network before the provider is open waits for it. */
  constructor(opening: Promise<NetworkProvider>) {
    this.#opened = opening.then((provider) => (this.#provider = provider));
    // Told to whoever asks.
    this.#opened.catch(() => undefined);
  }

  /** Resolves once environments reach what was published until now. */
  async ready(): Promise<void> {
    await this.#opened;
    await this.#published;
  }

  enforcement(): readonly Enforcement[] {
    return this.#provider?.enforcement() ?? [];
  }

  async expect(): Promise<void> {
    (await this.#opened).expect();
  }

  async etc(): Promise<EtcTexts> {
    return (await this.#opened).etc();
  }

  async acquire(id: string, choice?: NetworkChoice): Promise<EnvironmentNetwork> {
    const early = this.#early.get(id);
    this.#early.delete(id);
    return early ?? (await this.#opened).acquire(id, choice);
  }

  async release(network: EnvironmentNetwork): Promise<void> {
    if (network.guestAddress !== undefined) {
      const connections = this.#runtimeApis.get(network.guestAddress)?.connections ?? [];
      this.#runtimeApis.delete(network.guestAddress);
      // The address will be another's; what comes late must not be taken for its.
      for (const socket of connections) socket.destroy();
    }
    this.#closers.get(network.id)?.();
    this.#closers.delete(network.id);
    await network.release();
  }

  /** Environments are told apart by their address, which the kernel lets no other use. */
  async openRuntimeApi(
    id: string,
    guest: GuestListener,
    choice?: NetworkChoice,
  ): Promise<RuntimeApiListener> {
    const network = await this.acquire(id, choice);
    this.#early.set(id, network);
    const close = (): void => {
      if (this.#early.delete(id)) void this.release(network).catch(() => undefined);
    };
    try {
      const { guestAddress, platformHost } = network;
      if (guestAddress !== undefined && platformHost !== undefined) {
        this.#runtimeApi ??= this.#serve();
        const { port, datagrams } = await this.#runtimeApi;
        this.#runtimeApis.set(guestAddress, { guest, connections: new Set() });
        return { address: `${platformHost}:${port}`, datagrams, close };
      }
      // A namespace that bubblewrap makes for itself is not there yet, and no listener can be handed into it beforehand.
      if (network.unshare || platformHost === undefined)
        throw new Error(
          `environments without a network reach no Runtime API, so that custom runtimes and extensions cannot run: ${this.#why()}`,
        );
      const listener = await listenOnLoopback(guest);
      this.#closers.set(id, () => listener.close());
      return { ...listener, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  #why(): string {
    const missing = this.enforcement().find(({ level }) => level === "not enforced");
    return missing?.how ?? "the host lets this user make none";
  }

  /** One listener for all, so each environment is held to its share. What it leaves unfinished costs it that share alone. */
  async #serve(): Promise<{ port: number; datagrams: boolean }> {
    const server = createServer((request, response) => {
      const api = this.#runtimeApis.get(addressOf(request.socket));
      if (api === undefined) request.socket.destroy();
      else api.guest.onRequest(request, response);
    });
    // A runtime waits for its next event as long as it takes.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 0;
    const port = await this.#accept(RUNTIME_API_PORT, (socket) => {
      const connections = this.#runtimeApis.get(addressOf(socket))?.connections;
      if (connections === undefined || connections.size >= MOST_CONNECTIONS) {
        socket.destroy();
        return;
      }
      connections.add(socket);
      socket.once("close", () => connections.delete(socket));
      server.emit("connection", socket);
    });
    return { port, datagrams: await this.#takeDatagrams(port) };
  }

  /** @returns whether they come: the port may be another program's */
  async #takeDatagrams(port: number): Promise<boolean> {
    const provider = await this.#opened;
    const socket = await provider.bind(port).catch(() => undefined);
    socket?.on("message", (bytes, { address }) => this.#runtimeApis.get(address)?.guest.onDatagram(bytes));
    // What goes wrong with one datagram is no reason to take no more.
    socket?.on("error", () => undefined);
    return socket !== undefined;
  }

  /** Lets environments reach a server of the platform. Where its port is taken on that address, they use another. */
  publish(port: number, accept: (socket: Socket) => void): Promise<void> {
    this.#published = this.#publish(port, accept);
    return this.#published;
  }

  async #publish(port: number, accept: (socket: Socket) => void): Promise<void> {
    const { platformHost, name } = await this.#opened;
    if (platformHost !== undefined && name !== "host") this.#endpointPort = await this.#accept(port, accept);
  }

  async #accept(wanted: number, accept: (socket: Socket) => void): Promise<number> {
    const provider = await this.#opened;
    const server = await provider.listen(wanted).catch(() => provider.listen(0));
    server.on("connection", accept);
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : wanted;
  }

  endpointUrl(url: string): string {
    const platformHost = this.#provider?.platformHost;
    if (platformHost === undefined || this.#endpointPort === undefined) return url;
    const reached = new URL(url);
    reached.hostname = platformHost;
    reached.port = String(this.#endpointPort);
    return reached.href.replace(/\/$/, "");
  }

  async close(): Promise<void> {
    for (const { connections } of this.#runtimeApis.values())
      for (const socket of connections) socket.destroy();
    await Promise.all([...this.#early.values()].map((network) => network.release()));
    const provider = await this.#opened.catch(() => undefined);
    await provider?.close();
  }
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}
