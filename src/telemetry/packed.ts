/** Writes numbers one after another, small whole ones in few bytes. */
export class Packer {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  /** A whole number from 0 to 2^53 - 1, seven bits a byte. */
  whole(number: number): void {
    this.#reserve(8);
    let rest = number;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Any number: twice itself where it is whole and not too large, else 1 and eight bytes. */
  number(number: number): void {
    if (Number.isInteger(number) && number >= 0 && number < 2 ** 52 && !Object.is(number, -0)) {
      this.whole(number * 2);
      return;
    }
    this.whole(1);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleBE(number, this.#length);
  }

  /** A whole number of either sign. */
  signed(number: number): void {
    this.whole(number < 0 ? -2 * number - 1 : 2 * number);
  }

  text(text: string): void {
    this.block(Buffer.from(text));
  }

  /** Bytes, with their number before them: they can be skipped unread. */
  block(bytes: Uint8Array): void {
    this.whole(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  get length(): number {
    return this.#length;
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Reads what a Packer wrote. @throws RangeError where the bytes end too early */
export class Unpacker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  whole(): number {
    let [number, unit] = [0, 1];
    for (;;) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new RangeError("packed points end too early");
      if (byte < 0x80) return number + byte * unit;
      number += (byte - 0x80) * unit;
      unit *= 0x80;
    }
  }

  number(): number {
    const whole = this.whole();
    if (whole % 2 === 0) return whole / 2;
    const number = this.#bytes.readDoubleBE(this.#at);
    this.#at += 8;
    return number;
  }

  signed(): number {
    const whole = this.whole();
    return whole % 2 === 0 ? whole / 2 : -(whole + 1) / 2;
  }

  text(): string {
    return this.block().toString("utf8");
  }

  /** A view, not a copy. */
  block(): Buffer {
    const length = this.whole();
    const block = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return block;
  }

  skipBlock(): void {
    const length = this.whole();
    this.#at += length;
  }
}
