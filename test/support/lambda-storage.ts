import { createHash } from "node:crypto";
import { beforeEach } from "vitest";
import { memoryPorts } from "../../src/services/test-ports.ts";
import { BlobMissing, type Blobs } from "../../src/storage/blobs.ts";
import type { Documents, Watched } from "../../src/storage/documents.ts";

/** What Lambda's service needs of the storage. */
export interface LambdaStorage {
  readonly documents: Documents;
  readonly blobs: Blobs;
}

/** An empty storage for each test. */
export function withStorage(): () => LambdaStorage {
  let storage: LambdaStorage;
  beforeEach(() => {
    storage = { documents: watched(memoryPorts().documents), blobs: memoryBlobs() };
  });
  return () => storage;
}

/** Adds what the ports in memory lack: watches, and commits that take a turn, so that parallel writers interleave. */
function watched(documents: Documents): Documents {
  const listeners = new Set<{ prefix: readonly unknown[]; call: (change: Watched) => void }>();
  return {
    get: (key) => documents.get(key),
    list: (prefix, options) => documents.list(prefix, options),
    async commit(changes, append) {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      const revisions = await documents.commit(changes, append);
      for (const { key } of changes)
        for (const { prefix, call } of listeners)
          if (prefix.every((part, index) => key[index] === part)) call({ key, document: documents.get(key) });
      return revisions;
    },
    watch(prefix, call) {
      const listener = { prefix, call };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function memoryBlobs(): Blobs {
  const stored = new Map<string, Buffer>();
  const unused = () => Promise.reject(new Error("these tests do not use this method"));
  return {
    async put(bytes) {
      const copy = Buffer.from(bytes as Uint8Array);
      const id = createHash("sha256").update(copy).digest("hex");
      stored.set(id, copy);
      return { id, bytes: copy.length };
    },
    async get(id) {
      const found = stored.get(id);
      if (found === undefined) throw new BlobMissing(id);
      return found;
    },
    has: async (id) => stored.has(id),
    remove: async (id) => void stored.delete(id),
    open: unused,
    path: unused,
    async *list() {
      for (const [id, { length }] of stored) yield { id, bytes: length };
    },
  };
}
