/** Where a call acts. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}
