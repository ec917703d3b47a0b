import type { Clock } from "#core/clock";
import type { Principal } from "#core/principal";
import type { DocumentKey, Documents } from "#storage/documents";
import { revise } from "../revise.ts";
import { REGION, type Tags } from "./store.ts";
import { fromBase32, stepAt, stepOfCode, stepOfPair } from "./totp.ts";

/** A virtual device. Never log the seed. */
export interface DeviceDocument {
  readonly serial: string;
  /** In base32. */
  readonly seed: string;
  readonly tags: Tags;
  /** The step of the code that was used last: neither that one nor an earlier one counts again. */
  readonly lastStep?: number;
  /** By how many steps the device's clock is ahead of the platform's, as its last two codes in a row told. */
  readonly ahead?: number;
}

/** Under the user: which devices are its, since when. */
export interface EnabledDocument {
  readonly enabled: number;
}

export const mfaKeys = {
  devices: (account: string) => [account, REGION, "mfa-device"] as const,
  device: (account: string, serial: string): DocumentKey => [...mfaKeys.devices(account), serial],
  owners: (account: string) => [account, REGION, "user-mfa"] as const,
  owned: (account: string, user: string) => [...mfaKeys.owners(account), user.toLowerCase()] as const,
} as const;

/** The device after two codes of its in a row, which are used up with it; undefined where they are not. */
export function afterPair(
  device: DeviceDocument,
  codes: readonly [string, string],
  now: number,
): DeviceDocument | undefined {
  const step = stepAt(now);
  const first = stepOfPair(fromBase32(device.seed), codes, step, device.lastStep ?? -1);
  if (first === undefined) return undefined;
  // Which of the two is shown at this moment is not known.
  const ahead = step < first ? first - step : Math.min(first + 1 - step, 0);
  return { ...device, lastStep: first + 1, ahead };
}

/** Whether a code is good: `unknown` where the caller has no such device. */
export type CodeVerdict = "good" | "wrong" | "unknown";

export interface MfaCodes {
  /** Uses nothing up. */
  check(caller: Principal, serial: string, code: string): CodeVerdict;
  /** Uses a good code up. */
  use(caller: Principal, serial: string, code: string): Promise<CodeVerdict>;
}

/** So many wrong codes of a device within five minutes are mistakes; after these none is good until they are over. */
const MOST_FAILURES = 10;
const FAILURES_MS = 300_000;
/** Devices that are remembered; beyond these the one that began first is forgotten. */
const KEPT_DEVICES = 10_000;

/** Judges the codes that callers give of their own devices. */
export function createMfaCodes({
  documents,
  clock,
}: {
  readonly documents: Documents;
  readonly clock: Clock;
}): MfaCodes {
  const failures = new Map<string, { readonly since: number; readonly count: number }>();

  function deviceOf(caller: Principal, serial: string) {
    if (caller.kind !== "user") return undefined;
    const { account, userName } = caller;
    if (documents.get([...mfaKeys.owned(account, userName), serial]) === undefined) return undefined;
    return documents.get<DeviceDocument>(mfaKeys.device(account, serial));
  }

  function stepOf({ serial, seed, ahead = 0, lastStep = -1 }: DeviceDocument, code: string) {
    const failed = failuresOf(serial);
    if (failed !== undefined && failed.count >= MOST_FAILURES) return undefined;
    return stepOfCode(fromBase32(seed), code, stepAt(clock.now()) + ahead, lastStep);
  }

  function failuresOf(serial: string) {
    const known = failures.get(serial);
    if (known === undefined || clock.now() < known.since + FAILURES_MS) return known;
    failures.delete(serial);
    return undefined;
  }

  function countFailure(serial: string): void {
    const { since, count } = failuresOf(serial) ?? { since: clock.now(), count: 0 };
    const [oldest] = failures.keys();
    if (failures.size >= KEPT_DEVICES && oldest !== undefined) failures.delete(oldest);
    failures.set(serial, { since, count: count + 1 });
  }

  function check(caller: Principal, serial: string, code: string): CodeVerdict {
    const device = deviceOf(caller, serial)?.value;
    if (device === undefined) return "unknown";
    if (stepOf(device, code) !== undefined) return "good";
    countFailure(serial);
    return "wrong";
  }

  async function use(caller: Principal, serial: string, code: string): Promise<CodeVerdict> {
    const found = deviceOf(caller, serial);
    if (found === undefined) return "unknown";
    let verdict = "good" as CodeVerdict;
    await revise<DeviceDocument>(documents, found.key, (current) => {
      const lastStep = current === undefined ? undefined : stepOf(current.value, code);
      verdict = lastStep === undefined ? "wrong" : "good";
      return lastStep === undefined ? [] : [{ key: found.key, value: { ...current?.value, lastStep } }];
    });
    if (verdict === "wrong") countFailure(serial);
    else failures.delete(serial);
    return verdict;
  }

  return { check, use };
}
