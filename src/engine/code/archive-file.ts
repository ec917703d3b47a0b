import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import yauzl from "yauzl";

/** Many of a package's files, and all names of most, for one system call. */
const WINDOW_BYTES = 512 * 1024;

/**
 * An archive's file, read in a blocking way and through a window, which costs next to nothing where what is asked for
 * lies side by side: an asynchronous read of each header and each file is most of what unpacking them takes.
 */
export class ArchiveFile extends yauzl.RandomAccessReader {
  readonly bytes: number;
  readonly #descriptor: number;
  readonly #window: Buffer;
  #start = 0;
  #end = 0;

  constructor(path: string) {
    super();
    this.#descriptor = openSync(path, "r");
    this.bytes = fstatSync(this.#descriptor).size;
    this.#window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, this.bytes));
  }

  /** The bytes [start, start + length), until the next call; half a megabyte at the most. @throws Error past the end */
  view(start: number, length: number): Buffer {
    if (start < this.#start || start + length > this.#end) {
      this.#start = start;
      this.#end = start + this.#read(this.#window, start);
    }
    if (start + length > this.#end) throw new Error("the archive ends early");
    return this.#window.subarray(start - this.#start, start - this.#start + length);
  }

  /** The same in pieces that last; of any length. */
  *pieces(start: number, length: number): Generator<Buffer> {
    for (let at = start; at < start + length;) {
      const piece = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, start + length - at));
      const read = this.#read(piece, at);
      if (read < piece.length) throw new Error("the archive ends early");
      yield piece;
      at += read;
    }
  }

  /** What yauzl reads the directory by. It is called back before this returns. */
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failure: Error | null = null;
    try {
      this.view(position, length).copy(buffer, offset);
    } catch (error) {
      failure = error as Error;
    }
    callback(failure);
  }

  /** Ends it, whatever yauzl holds. */
  end(): void {
    closeSync(this.#descriptor);
  }

  /** As many bytes as there are from `start`, up to a buffer full. */
  #read(buffer: Buffer, start: number): number {
    if (start >= this.bytes) return 0;
    return readSync(this.#descriptor, buffer, 0, buffer.length, start);
  }
}
