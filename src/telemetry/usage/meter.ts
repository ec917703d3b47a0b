import { type Architecture, dayOf, type Usage, type UsageEntry, type UsageOwner } from "./usage.ts";

/** Where days are held; the store of them has this shape. */
export interface UsageHolder {
  entry(owner: UsageOwner, day: number): UsageEntry;
  changed(entry: UsageEntry): void;
}

/** What a version is billed by. The engine's FunctionSpec has this shape. */
export interface BilledFunction {
  readonly architecture: Architecture;
  readonly memoryMb: number;
  readonly ephemeralStorageMb: number;
}

/** An invocation that has ended; the engine's Execution has this shape. */
export interface BilledInvocation {
  readonly spec: BilledFunction;
  /** As REPORT tells it. */
  readonly billedMs: number;
  /** The part of it that its own init or restore took. */
  readonly coldMs: number;
  /** Bytes of a streamed response beyond its first 6 MB. */
  readonly streamedBytes: number;
}

/** "512 MB of ephemeral storage is available to each Lambda function at no additional cost" (AWS Lambda Pricing). */
const FREE_STORAGE_MB = 512;

/** Counts what one function uses. */
export class FunctionUsage {
  readonly #store: UsageHolder;
  readonly #function: Omit<UsageOwner, "architecture">;
  #entry: UsageEntry | undefined;

  constructor(store: UsageHolder, of: Omit<UsageOwner, "architecture">) {
    this.#store = store;
    this.#function = of;
  }

  /** Costs a few additions. @param provisioned whether it had a provisioned environment @param time when it began, epoch ms */
  invoked(
    { spec, billedMs, coldMs, streamedBytes }: BilledInvocation,
    provisioned: boolean,
    time: number,
  ): void {
    const entry = this.#of(spec.architecture, time);
    const usage: Usage = entry.usage;
    usage.requests++;
    usage.billedMs += billedMs;
    usage.coldMs += coldMs;
    if (provisioned) {
      usage.provisionedRequests++;
      usage.provisionedMbMs += spec.memoryMb * billedMs;
    } else usage.computeMbMs += spec.memoryMb * billedMs;
    const storageMb = spec.ephemeralStorageMb - FREE_STORAGE_MB;
    if (storageMb > 0) usage.storageMbMs += storageMb * billedMs;
    if (streamedBytes > 0) usage.streamedBytes += streamedBytes;
    this.#store.changed(entry);
  }

  /** Time for which provisioned environments were asked for. @param ms that of all of them together */
  reserved(spec: BilledFunction, ms: number, time: number): void {
    const entry = this.#of(spec.architecture, time);
    entry.usage.reservedMbMs += Math.round(spec.memoryMb * ms);
    this.#store.changed(entry);
  }

  #of(architecture: Architecture, time: number): UsageEntry {
    const day = dayOf(time);
    const known = this.#entry;
    if (known !== undefined && !known.gone && known.day === day && known.owner.architecture === architecture)
      return known;
    return (this.#entry = this.#store.entry({ ...this.#function, architecture }, day));
  }
}
