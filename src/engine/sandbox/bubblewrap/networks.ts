import { createServer } from "node:http";
import type { RequestListener, Server as HttpServer } from "node:http";
import type { Socket } from "node:net";
import type { RuntimeApiListener } from "../contract.ts";
import type { EnvironmentNetwork, NetworkProvider } from "../network/contract.ts";
import { listenOnLoopback } from "../process/loopback.ts";

/** As AWS's: AWS_LAMBDA_RUNTIME_API is `169.254.100.1:9001`. */
const RUNTIME_API_PORT = 9001;

/** The networks of sandboxes, and what of the platform is reached through them: the Runtime API and the AWS endpoint. */
export class SandboxNetworks {
  readonly #provider: NetworkProvider;
  /** Acquired for a Runtime API, by the id of the sandbox that will start. */
  readonly #early = new Map<string, EnvironmentNetwork>();
  readonly #runtimeApis = new Map<string, RequestListener>();
  readonly #closers = new Map<string, () => void>();
  #runtimeApi: Promise<{ readonly server: HttpServer; readonly port: number }> | undefined;
  #endpointPort: number | undefined;

  constructor(provider: NetworkProvider) {
    this.#provider = provider;
  }

  async acquire(id: string): Promise<EnvironmentNetwork> {
    const early = this.#early.get(id);
    this.#early.delete(id);
    return early ?? this.#provider.acquire(id);
  }

  async release(network: EnvironmentNetwork): Promise<void> {
    if (network.guestAddress !== undefined) this.#runtimeApis.delete(network.guestAddress);
    this.#closers.get(network.id)?.();
    this.#closers.delete(network.id);
    await network.release();
  }

  /** Environments are told apart by their address, which the kernel lets no other use. */
  async openRuntimeApi(id: string, onRequest: RequestListener): Promise<RuntimeApiListener> {
    const network = await this.acquire(id);
    this.#early.set(id, network);
    const close = (): void => {
      if (this.#early.delete(id)) void this.release(network).catch(() => undefined);
    };
    try {
      const { guestAddress, platformHost } = network;
      if (guestAddress !== undefined && platformHost !== undefined) {
        this.#runtimeApi ??= this.#serve();
        const { port } = await this.#runtimeApi;
        this.#runtimeApis.set(guestAddress, onRequest);
        return { address: `${platformHost}:${port}`, close };
      }
      if (network.unshare || platformHost === undefined)
        throw new Error("environments without a network reach no Runtime API: install pasta or slirp4netns");
      const listener = await listenOnLoopback(onRequest);
      this.#closers.set(id, () => listener.close());
      return { address: listener.address, close };
    } catch (error) {
      close();
      throw error;
    }
  }

  async #serve(): Promise<{ server: HttpServer; port: number }> {
    const server = createServer((request, response) => {
      const listener = this.#runtimeApis.get(addressOf(request.socket));
      if (listener === undefined) request.socket.destroy();
      else listener(request, response);
    });
    // A runtime waits for its next event as long as it takes.
    server.requestTimeout = 0;
    server.keepAliveTimeout = 0;
    const port = await this.#accept(RUNTIME_API_PORT, (socket) => server.emit("connection", socket));
    return { server, port };
  }

  /** Lets environments reach a server of the platform. Where its port is taken on that address, they use another. */
  async publish(port: number, accept: (socket: Socket) => void): Promise<void> {
    if (this.#provider.platformHost === undefined || this.#provider.name === "host") return;
    this.#endpointPort = await this.#accept(port, accept);
  }

  async #accept(wanted: number, accept: (socket: Socket) => void): Promise<number> {
    const server = await this.#provider.listen(wanted).catch(() => this.#provider.listen(0));
    server.on("connection", accept);
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : wanted;
  }

  endpointUrl(url: string): string {
    const { platformHost } = this.#provider;
    if (platformHost === undefined || this.#endpointPort === undefined) return url;
    const reached = new URL(url);
    reached.hostname = platformHost;
    reached.port = String(this.#endpointPort);
    return reached.href.replace(/\/$/, "");
  }

  async close(): Promise<void> {
    const { server } = (await this.#runtimeApi?.catch(() => undefined)) ?? {};
    server?.closeAllConnections();
    await Promise.all([...this.#early.values()].map((network) => network.release()));
    await this.#provider.close();
  }
}

function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
}
