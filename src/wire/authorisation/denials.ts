import { AwsError } from "#core/errors";
import { denialText } from "#policy/denial";
import type { Refusal } from "./types.ts";

/** The denial of services that follow AWS's common form. */
export function accessDenied(refusal: Refusal): AwsError {
  return new AwsError("AccessDeniedException", refusalText(refusal), { status: 403 });
}

/** The denial of services that are older than that form. */
export function oldAccessDenied(refusal: Refusal): AwsError {
  return new AwsError("AccessDenied", refusalText(refusal), { status: 403 });
}

export function refusalText({ principal, question, denial }: Refusal): string {
  const { action, resource, shown = resource === "*" ? undefined : resource } = question;
  return denialText(principal?.arn ?? "anonymous", action, shown, denial);
}
