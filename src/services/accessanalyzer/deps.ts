import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { Use } from "#wire/authorisation/usage";
import type { Reference } from "./reference/reference.ts";

/** What roles and users asked permission for. */
export interface Usage {
  uses(): readonly Use[];
  /** Whether nothing was forgotten since it began. */
  readonly complete: boolean;
}

/** Whoever keeps the roles and users. */
export interface Holders {
  /** Whether there is a role or a user of just this ARN. */
  hasHolder(arn: string): boolean;
}

export interface AnalyzerDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly usage: Usage;
  readonly holders: Holders;
  /** Read when it is first asked for. */
  readonly reference: () => Reference;
}
