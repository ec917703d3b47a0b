/** Whether what two patterns have before their first wildcards leaves room for a text that fits both. Quick, and no proof. */
export function mayOverlap(a: string, b: string): boolean {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [first, second] = [a[at], b[at]];
    if (first === "*" || first === "?" || second === "*" || second === "?") return true;
    if (first !== second) return false;
  }
  return true;
}

/**
 * Whether some text fits two patterns with `*` and `?` both. Takes as many steps as the product of their lengths.
 */
export function overlap(a: string, b: string): boolean {
  /** Of the patterns from `i` and from `j` on, for one `i` after the other from the end. */
  let row = new Uint8Array(b.length + 1);
  for (let i = a.length; i >= 0; i--) {
    const next = new Uint8Array(b.length + 1);
    for (let j = b.length; j >= 0; j--) next[j] = Number(fits(a, b, i, j, row, next));
    row = next;
  }
  return row[0] === 1;
}

/** @param below the results for `i + 1` @param right those for `i` so far, of larger `j` */
function fits(a: string, b: string, i: number, j: number, below: Uint8Array, right: Uint8Array): boolean {
  if (i === a.length && j === b.length) return true;
  // A star takes nothing, or what the other pattern has next.
  if (a[i] === "*") return (i < a.length && below[j] === 1) || (j < b.length && right[j + 1] === 1);
  if (b[j] === "*") return right[j + 1] === 1 || (i < a.length && below[j] === 1);
  if (i === a.length || j === b.length) return false;
  return (a[i] === b[j] || a[i] === "?" || b[j] === "?") && below[j + 1] === 1;
}
