import type { Enforcement } from "../contract.ts";
import type { HostFacts } from "./host-facts.ts";

/** How a bridge reaches the world outside. */
export interface Uplink {
  /** Name servers that environments ask. */
  readonly resolvers: readonly string[];
  /** Connects, once bridge and rules are there. */
  start(): Promise<void>;
  /** Follows changes of the host's network. */
  refresh(facts: HostFacts): Promise<void>;
  enforcement(): readonly Enforcement[];
  close(): Promise<void>;
}

/** Nothing is reached but the platform. */
export const noUplink: Uplink = {
  resolvers: [],
  start: () => Promise.resolve(),
  refresh: () => Promise.resolve(),
  enforcement: () => [],
  close: () => Promise.resolve(),
};
