/** A policy variable. One that is longer than any that means something is text, so that looking for it takes no time. */
const VARIABLE = /\$\{[^}]{0,256}\}/g;

export function firstVariable(text: string): string | undefined {
  return text.match(VARIABLE)?.[0];
}

/** A text with something else in the place of each of its variables. */
export function withoutVariables(text: string, instead: (variable: string) => string): string {
  return text.replaceAll(VARIABLE, instead);
}
