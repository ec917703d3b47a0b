/** A policy that AWS manages, as the "AWS managed policy reference" publishes it. */
export interface ManagedPolicy {
  readonly name: string;
  readonly path: string;
  /** Left out where it is not known for sure. */
  readonly id?: string;
  readonly statements: readonly object[];
}

/** A statement that allows actions on everything. */
export function allow(...actions: readonly string[]): object {
  return { Effect: "Allow", Action: actions.length === 1 ? actions[0] : actions, Resource: "*" };
}
