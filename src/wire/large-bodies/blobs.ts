/** Where a blob is: an object or array, which a structured clone keeps the identity of, and the key in it. */
export interface BlobPlace {
  readonly holder: object;
  readonly key: string;
}

/** Finds the blobs of an input, and the memory of those that have theirs to themselves and so can be moved. */
export function blobsOf(input: object): { places: BlobPlace[]; buffers: ArrayBuffer[] } {
  const places: BlobPlace[] = [];
  const buffers = new Set<ArrayBuffer>();
  // A stack of its own: a free-form document may be nested as deep as its reader allows.
  const holders = [input];
  for (let holder = holders.pop(); holder !== undefined; holder = holders.pop()) {
    for (const [key, value] of Object.entries(holder) as [string, unknown][]) {
      if (Buffer.isBuffer(value)) {
        places.push({ holder, key });
        // Small blobs are slices of the pool that all of Node's buffers share; those are copied.
        if (value.buffer instanceof ArrayBuffer && value.byteLength === value.buffer.byteLength)
          buffers.add(value.buffer);
      } else if (typeof value === "object" && value !== null && !(value instanceof Date)) holders.push(value);
    }
  }
  return { places, buffers: [...buffers] };
}

/** Makes Buffers again of what came through a structured clone as Uint8Arrays; nothing is copied. */
export function restoreBlobs(places: readonly BlobPlace[]): void {
  for (const { holder, key } of places) {
    const { buffer, byteOffset, byteLength } = (holder as Record<string, Uint8Array>)[key] as Uint8Array;
    const value = Buffer.from(buffer, byteOffset, byteLength);
    // Not an assignment, which would take a key named __proto__ for the prototype.
    Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
  }
}
