/** As many bits as 32 KB have. */
const BITS = 18;
const SIZE = 2 ** BITS;

/** With more than these, one text in sixteen that is new would be taken for one that came before. */
const MOST = SIZE / 8;

/**
 * Tells a cache what has been asked for before, in 32 KB for tens of thousands of texts: what is asked for once need not be
 * kept (a Bloom filter, as in "TinyLFU: A Highly Efficient Cache Admission Policy", Einziger et al.). Now and then something new
 * passes, too; everybody is new again once very many came.
 */
export class Doorkeeper {
  readonly #bits = new Uint32Array(SIZE / 32);
  #marks = 0;

  /** Whether `text` came before, as far as is known; from now on it did. */
  admits(text: string): boolean {
    let hash = 0x811c9dc5;
    // FNV-1a, then a mix: its lowest bits alone would follow from the last character.
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    const other = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    const known = this.#mark(hash >>> (32 - BITS));
    if (this.#mark(other >>> (32 - BITS)) && known) return true;
    if (++this.#marks > MOST) {
      this.#bits.fill(0);
      this.#marks = 0;
    }
    return false;
  }

  /** @returns whether it was marked already */
  #mark(bit: number): boolean {
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    const before = this.#bits[word] ?? 0;
    this.#bits[word] = before | mask;
    return (before & mask) !== 0;
  }
}
