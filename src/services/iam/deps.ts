import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import type { LastUsed } from "./last-used.ts";
import type { Principals } from "./principals.ts";
import type { ReadSaml } from "./saml-thread.ts";

export interface IamDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly principals: Principals;
  readonly lastUsed: LastUsed;
  readonly readSaml: ReadSaml;
}
