import type { Ids } from "#core/ids";
import { snsErrors } from "../errors.ts";

/** AWS's tokens have 288 hexadecimal digits, and tell the region of their topic (recorded). */
const LENGTH = 288;
const REGION_DIGITS = 64;
const TOKEN = new RegExp(`^[0-9a-f]{${LENGTH}}$`, "u");

export function newToken(ids: Ids, region: string): string {
  const place = Buffer.from(region).toString("hex").padEnd(REGION_DIGITS, "0").slice(0, REGION_DIGITS);
  return place + ids.hex(LENGTH - REGION_DIGITS);
}

/** @throws AwsError InvalidParameter (recorded: test_sns_confirm_subscription_wrong_token) */
export function requireToken(token: string | undefined, region: string): string {
  if (token === undefined || !TOKEN.test(token)) throw snsErrors.invalid("Invalid token");
  const place = Buffer.from(token.slice(0, REGION_DIGITS), "hex").toString().replaceAll("\0", "");
  // Digits that no token of ours begins with name no region at all: such a token is merely unknown.
  if (/^[a-z]{2}(?:-[a-z]+)+-\d$/u.test(place) && place !== region) throw snsErrors.parameter("Topic");
  return token;
}
