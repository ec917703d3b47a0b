/** More changes than this make it another word. */
const MOST_CHANGES = 2;
/** Longer words are not looked at: no name of AWS's is. */
const LONGEST = 64;

/** The candidate that is the fewest changes of a letter away from a word, at most two; `undefined` where none is. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > LONGEST || /[*?]/.test(word)) return undefined;
  const folded = word.toLowerCase();
  let found: string | undefined;
  let fewest = MOST_CHANGES + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= fewest) continue;
    const changes = distance(folded, candidate.toLowerCase());
    if (changes < fewest) [found, fewest] = [candidate, changes];
  }
  return found;
}

/** How many letters to add, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
