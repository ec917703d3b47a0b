import { denialText } from "#policy/denial";
import type { Answered } from "#wire/authorisation/types";
import type { Shared } from "./shared.ts";

/** Tells of every call that `--iam enforce` would have refused, with the statement that would allow it. */
export function auditLog(log: Shared["log"]): (answered: Answered) => void {
  return ({ principal, question, decision, service, operation, region }) => {
    if (decision.allowed) return;
    const { action, resource } = question;
    const arn = principal?.arn ?? "anonymous";
    log.warn(
      {
        principal: arn,
        action,
        resource,
        service,
        operation,
        region,
        ...(decision.statement === undefined
          ? { missing: { Effect: "Allow", Action: action, Resource: resource } }
          : { deniedBy: { policy: decision.statement.policy, sid: decision.statement.sid } }),
      },
      `would be denied: ${denialText(arn, action, resource === "*" ? undefined : resource, decision)}`,
    );
  };
}
