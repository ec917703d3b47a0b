import type { Text } from "../../document/place.ts";
import type { PolicyView } from "../../document/policy.ts";
import { suggestions, warnings } from "../advice.ts";
import { errors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

/** `Sid`s that are empty, told twice, or of other characters than IAM takes. */
export function checkIdentifiers(policy: PolicyView, { report }: CheckContext): void {
  // Services have rules of their own for the identifiers in their resources' policies.
  const strict = policy.use.type !== "RESOURCE_POLICY" || policy.trust;
  const bySid = new Map<string, Text[]>();
  for (const { sid } of policy.statements) {
    if (sid === undefined) continue;
    if (sid.text === "") report(suggestions.emptySid(), sid);
    else if (strict && !/^[0-9A-Za-z]+$/.test(sid.text)) report(errors.unsupportedSid(), sid);
    bySid.set(sid.text, [...(bySid.get(sid.text) ?? []), sid]);
  }
  for (const [sid, places] of bySid)
    if (sid !== "" && places.length > 1)
      report(strict ? errors.uniqueSids() : warnings.uniqueSids(), ...places);
}
