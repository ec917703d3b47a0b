/** A word of a shell command; in single quotes where needed, so that no shell expands anything. */
export function quote(value: string): string {
  return /^[\w:./-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
