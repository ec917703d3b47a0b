import { expect, it } from "vitest";
import { createStsAuthorisation } from "./authorisation.ts";
import { callOf, testCall } from "../../../test/support/call.ts";
import type { MfaCodes } from "./deps.ts";
import { comesWithCode, type MfaInput, useCode } from "./mfa.ts";

const caller = testCall().principal;
const input = { SerialNumber: "arn:aws:iam::111111111111:mfa/d", TokenCode: "123456" };
const verdict = (is: "good" | "wrong" | "unknown"): MfaCodes => ({
  check: () => is,
  use: () => Promise.resolve(is),
});

// As AWS's users quote them; programs compare the first as a whole.
it.each([
  [input, "wrong", "MultiFactorAuthentication failed with invalid MFA one time pass code. "],
  [
    input,
    "unknown",
    "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
  ],
  [
    { TokenCode: "123456" },
    "good",
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
  ],
  [
    { SerialNumber: input.SerialNumber },
    "good",
    "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.",
  ],
] as const)("refuses %j whose code is %s", async (given, is, message) => {
  const refusal = { code: "AccessDenied", message, status: 403 };
  expect(() => comesWithCode(verdict(is), given, caller)).toThrow(expect.objectContaining(refusal));
  await expect(useCode(verdict(is), given, caller)).rejects.toMatchObject(refusal);
});

it("lets a role's trust policy see a good code, which need not be there", () => {
  const { questions } = createStsAuthorisation({ enforced: true, mfa: verdict("good") });
  const RoleArn = "arn:aws:iam::111111111111:role/r";
  const principal = { kind: "user", account: "111111111111", arn: "a", userId: "u", userName: "u" } as const;
  const keys = (mfa: MfaInput) =>
    questions["AssumeRole"]?.({ RoleArn, ...mfa } as never, callOf({ principal })).map(({ keys: given }) => [
      given?.["aws:multifactorauthpresent"],
      given?.["aws:multifactorauthage"],
    ]);
  expect(keys(input)).toEqual([["true", "0"]]);
  expect(keys({})).toEqual([[undefined, undefined]]);
});
