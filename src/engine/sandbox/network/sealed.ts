import type { Socket as DatagramSocket } from "node:dgram";
import type { Server } from "node:net";
import type { Enforcement } from "../contract.ts";
import type { EnvironmentNetwork, EtcTexts, NetworkProvider } from "./contract.ts";
import { HOSTS, resolvConf } from "./resolvers.ts";

const TEXTS: EtcTexts = { resolvConf: resolvConf([]), hosts: HOSTS };

/**
 * A namespace that the sandbox makes by itself, with loopback alone: for hosts without the programs or the rights for
 * more. An environment speaks with the platform over its inherited descriptors only.
 */
export class SealedNetwork implements NetworkProvider {
  readonly name = "isolated";
  readonly platformHost = undefined;
  readonly #why: string;

  /** @param why what the host lacks */
  constructor(why: string) {
    this.#why = why;
  }

  acquire(id: string): Promise<EnvironmentNetwork> {
    return Promise.resolve({
      id,
      enter: [],
      namespace: undefined,
      userNamespace: undefined,
      unshare: true,
      platformHost: undefined,
      guestAddress: undefined,
      ...TEXTS,
      plant: () => this.#refuse(),
      connect: () => this.#refuse(),
      release: () => Promise.resolve(),
    });
  }

  expect(): void {
    // There is nothing to make.
  }

  etc(): Promise<EtcTexts> {
    return Promise.resolve(TEXTS);
  }

  listen(): Promise<Server> {
    return this.#refuse();
  }

  bind(): Promise<DatagramSocket> {
    return this.#refuse();
  }

  enforcement(): readonly Enforcement[] {
    return [
      { limit: "network", level: "enforced", how: "loopback alone" },
      {
        limit: "network: the platform's endpoint and the internet",
        level: "not enforced",
        how: `unreachable: ${this.#why}`,
      },
    ];
  }

  clean(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #refuse(): Promise<never> {
    return Promise.reject(new Error(`no socket can be offered to environments: ${this.#why}`));
  }
}
