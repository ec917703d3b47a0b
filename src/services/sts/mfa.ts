import type { Principal } from "#core/principal";
import type { MfaCodes } from "./deps.ts";
import { stsErrors } from "./errors.ts";

/** What a request says of its caller's MFA device. */
export interface MfaInput {
  readonly SerialNumber?: string | undefined;
  readonly TokenCode?: string | undefined;
}

/**
 * Whether a request comes with a good code of its caller's own device; nothing is used up.
 * @throws AwsError AccessDenied where it comes with another one
 */
export function comesWithCode(mfa: MfaCodes, input: MfaInput, caller: Principal): boolean {
  const given = codeOf(input);
  if (given === undefined) return false;
  requireGood(mfa.check(caller, given.serial, given.code));
  return true;
}

/**
 * The same, with the code used up: only one of several requests with one code gets past this.
 * @throws AwsError AccessDenied
 */
export async function useCode(mfa: MfaCodes, input: MfaInput, caller: Principal): Promise<boolean> {
  const given = codeOf(input);
  if (given === undefined) return false;
  requireGood(await mfa.use(caller, given.serial, given.code));
  return true;
}

function codeOf({ SerialNumber: serial, TokenCode: code }: MfaInput) {
  if (serial === undefined && code === undefined) return undefined;
  if (serial === undefined || code === undefined) throw stsErrors.mfaPartMissing();
  return { serial, code };
}

function requireGood(verdict: ReturnType<MfaCodes["check"]>): void {
  if (verdict === "unknown") throw stsErrors.mfaDevice();
  if (verdict === "wrong") throw stsErrors.mfaCode();
}
