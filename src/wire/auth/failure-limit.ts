import type { Clock } from "#core/clock";
import { AwsError } from "#core/errors";
import { isLoopback } from "#core/loopback";
import type { Authenticate, Authenticated } from "./types.ts";

/** So many wrong signatures from one address within a minute are mistakes; more are guesses. */
const MOST_FAILURES = 30;
const WINDOW_MS = 60_000;
/** Addresses that are remembered; beyond these the one that began first is forgotten. */
const KEPT_ADDRESSES = 10_000;

/** Codes of keys and signatures that are wrong, in the words of all services. */
const GUESSES: ReadonlySet<string> = new Set([
  "InvalidSignatureException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
  "InvalidClientTokenId",
  "InvalidAccessKeyId",
  "AuthFailure",
]);

interface Failures {
  readonly since: number;
  count: number;
}

/** Refuses addresses beyond this machine that went on signing wrongly, until a minute after they began. */
export function limitFailures(authenticate: Authenticate, clock: Clock): Authenticate {
  const addresses = new Map<string, Failures>();

  function requireFewFailures(address: string): void {
    const known = addresses.get(address);
    if (known === undefined) return;
    if (clock.now() >= known.since + WINDOW_MS) addresses.delete(address);
    else if (known.count >= MOST_FAILURES)
      throw new AwsError("ThrottlingException", "Rate exceeded", { status: 429 });
  }

  function count(address: string, error: unknown): void {
    if (!(error instanceof AwsError) || !GUESSES.has(error.code)) return;
    const known = addresses.get(address);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const [oldest] = addresses.keys();
    if (addresses.size >= KEPT_ADDRESSES && oldest !== undefined) addresses.delete(oldest);
    addresses.set(address, { since: clock.now(), count: 1 });
  }

  return (request) => {
    const { remoteAddress: address } = request;
    if (isLoopback(address)) return authenticate(request);
    requireFewFailures(address);
    const failed = (error: unknown): never => {
      count(address, error);
      throw error;
    };
    let answer: Authenticated | Promise<Authenticated>;
    try {
      answer = authenticate(request);
    } catch (error) {
      return failed(error);
    }
    return answer instanceof Promise ? answer.catch(failed) : answer;
  };
}
