/** What AWS bills of a function, added up over a day: whole numbers that only grow. */
export interface Usage {
  /** Invocations that were given to an environment, and those of them that had a provisioned one. */
  requests: number;
  provisionedRequests: number;
  /** As REPORT tells it, init included; milliseconds. */
  billedMs: number;
  /** The part of it that inits and restores took. */
  coldMs: number;
  /** Memory by billed time, in megabytes times milliseconds: in environments on demand, and in provisioned ones. */
  computeMbMs: number;
  provisionedMbMs: number;
  /** Memory of the provisioned environments that were asked for, by the time that they were. */
  reservedMbMs: number;
  /** `/tmp` beyond 512 MB, by billed time. */
  storageMbMs: number;
  /** Of each streamed response what went beyond 6 MB. */
  streamedBytes: number;
}

/** In the order in which they are stored: new ones go to the end. */
export const USAGE_FIELDS = [
  "requests",
  "provisionedRequests",
  "billedMs",
  "coldMs",
  "computeMbMs",
  "provisionedMbMs",
  "reservedMbMs",
  "storageMbMs",
  "streamedBytes",
] as const satisfies readonly (keyof Usage)[];

export function noUsage(): Usage {
  return {
    requests: 0,
    provisionedRequests: 0,
    billedMs: 0,
    coldMs: 0,
    computeMbMs: 0,
    provisionedMbMs: 0,
    reservedMbMs: 0,
    storageMbMs: 0,
    streamedBytes: 0,
  };
}

export function addUsage(to: Usage, more: Readonly<Usage>): void {
  for (const field of USAGE_FIELDS) to[field] += more[field];
}

export type Architecture = "x86_64" | "arm64";

/** Whose usage it is. */
export interface UsageOwner {
  readonly account: string;
  readonly region: string;
  /** The function's name. */
  readonly name: string;
  readonly architecture: Architecture;
}

/** A day of a function that is held in memory. */
export interface UsageEntry {
  readonly owner: UsageOwner;
  readonly day: number;
  readonly usage: Usage;
  /** No longer held: who keeps it asks for it anew. */
  gone: boolean;
}

/** Days since 1970, in UTC. @param time epoch milliseconds */
export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS);
}

export const DAY_MS = 86_400_000;
