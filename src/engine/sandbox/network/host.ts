import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import type { Enforcement, NetworkChoice } from "../contract.ts";
import { connectToLoopback } from "../process/loopback.ts";
import type { EnvironmentNetwork, EtcTexts, NetworkProvider } from "./contract.ts";
import { plant } from "./plant.ts";
import { HOSTS } from "./resolvers.ts";

/** The host's own network for every environment: no wall at all, and told as such. */
export class HostNetwork implements NetworkProvider {
  readonly name = "host";
  readonly platformHost = "127.0.0.1";

  async acquire(id: string, choice?: NetworkChoice): Promise<EnvironmentNetwork> {
    if (choice !== undefined)
      throw new Error(
        `a function with THAW_NETWORK=${choice} cannot run where all share the host's network (--network host)`,
      );
    return {
      ...(await this.etc()),
      id,
      enter: [],
      namespace: undefined,
      userNamespace: undefined,
      unshare: false,
      platformHost: this.platformHost,
      guestAddress: undefined,
      plant: (address, port) => plant([], address, port),
      connect: connectToLoopback,
      release: () => Promise.resolve(),
    };
  }

  expect(): void {
    // There is nothing to make.
  }

  async etc(): Promise<EtcTexts> {
    const read = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
    return { resolvConf: await read("/etc/resolv.conf"), hosts: (await read("/etc/hosts")) || HOSTS };
  }

  listen(port: number): Promise<Server> {
    const server = createServer();
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, this.platformHost, () => resolve(server));
    });
  }

  async bind(port: number): Promise<DatagramSocket> {
    const socket = createSocket("udp4");
    socket.bind(port, this.platformHost);
    await once(socket, "listening");
    return socket;
  }

  enforcement(): readonly Enforcement[] {
    return [
      { limit: "network", level: "not enforced", how: "environments share the host's network" },
      {
        limit: "network: less for one function",
        level: "enforced",
        how: "functions with THAW_NETWORK are not run",
      },
    ];
  }

  clean(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
