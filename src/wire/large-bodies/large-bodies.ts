import type { Clock } from "#core/clock";
import { WorkerThread } from "#core/worker-thread";
import type { WireRequest } from "../protocols/protocol.ts";
import { memoise } from "../protocols/memo.ts";
import type { OperationModel, ProtocolName, ServiceModel } from "../schema/model.ts";
import { type BlobPlace, restoreBlobs } from "./blobs.ts";

/** Bodies beyond this many bytes are deserialised in a worker thread: parsing 1 MB takes a few milliseconds. */
export const LARGE_BODY_BYTES = 1024 * 1024;

/**
 * Several times what the largest body (72 MB) and the most values that the parser takes can need, whatever V8 would choose
 * on a small machine. It must never be reached: a thread that exhausts its heap within JSON.parse takes the process along
 * (seen in Node.js 20), so the parser's limits, not this one, are what guards the platform.
 */
const HEAP_MB = 1024;

export interface DeserialiseJob {
  readonly service: string;
  readonly operation: string;
  readonly protocol: ProtocolName;
  readonly request: Omit<WireRequest, "body"> & { readonly body: Uint8Array };
}

export interface Deserialised {
  readonly input: Record<string, unknown>;
  readonly places: readonly BlobPlace[];
}

/** Deserialises large bodies beside the event loop. */
export interface LargeBodies {
  /**
   * What the protocol's own `deserialise` answers or throws, or a WorkerLost. The body's memory moves to the worker: it
   * is empty here afterwards.
   */
  deserialise(
    protocol: ProtocolName,
    service: ServiceModel,
    operation: OperationModel,
    request: WireRequest & { readonly body: Buffer },
  ): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface LargeBodiesOptions {
  readonly clock: Clock;
  /** The compiled `deserialise-worker.ts`; by default the one beside this module, which is right once both are compiled. */
  readonly workerUrl?: URL;
  readonly idleMs?: number;
}

export function createLargeBodies(options: LargeBodiesOptions): LargeBodies {
  const { clock, workerUrl = new URL("./deserialise-worker.js", import.meta.url), idleMs } = options;
  const thread = new WorkerThread<DeserialiseJob, Deserialised>({
    url: workerUrl,
    clock,
    // One at a time, so that the memory of one body is all that is needed, and what ends the thread fails alone.
    parallel: 1,
    heapMb: HEAP_MB,
    ...(idleMs === undefined ? {} : { idleMs }),
  });
  return {
    async deserialise(protocol, service, operation, { method, path, query, headers, body }) {
      const request = { method, path, query, headers: { ...headers }, body };
      const job = { service: service.name, operation: operation.name, protocol, request };
      const { input, places } = await thread.run(job, ownMemory(body));
      restoreBlobs(places);
      return input;
    },
    close: () => thread.close(),
  };
}

/** The body's memory, where nothing else lies in it. */
function ownMemory({ buffer, byteLength }: Buffer): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : [];
}

/** Whether an operation's body has to be parsed, rather than being handed on as the bytes or text that came. */
export const parsesBody = memoise(({ http, input }: OperationModel): boolean => {
  if (http === undefined) return true;
  for (const { shape, traits } of input.members.values())
    if (traits.httpPayload) return shape.kind !== "blob" && shape.kind !== "string" && !traits.streaming;
  return true;
});
