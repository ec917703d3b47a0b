import { OperatorError } from "#core/errors";
import type { Endpoint } from "../../aws.ts";
import { getJson } from "../../trust.ts";

/** As the platform lists what functions used: whole numbers, `…MbMs` in megabytes times milliseconds. */
export interface UsageLine {
  /** A day such as `2026-01-31`, or a month such as `2026-01`. */
  readonly period: string;
  readonly account: string;
  readonly region: string;
  readonly function: string;
  readonly architecture: "x86_64" | "arm64";
  readonly requests: number;
  readonly provisionedRequests: number;
  readonly billedMs: number;
  readonly coldMs: number;
  readonly computeMbMs: number;
  readonly provisionedMbMs: number;
  readonly reservedMbMs: number;
  readonly storageMbMs: number;
  readonly streamedBytes: number;
}

export interface UsageQuery {
  /** Days such as `2026-01-31`, both inclusive. */
  readonly from: string;
  readonly to: string;
  readonly by: "day" | "month";
}

export async function readUsage(at: Endpoint, query: UsageQuery): Promise<readonly UsageLine[]> {
  const { status, body } = await getJson(at, `/_thaw/cost?${new URLSearchParams({ ...query }).toString()}`);
  const { usage, message } = (body ?? {}) as { usage?: readonly UsageLine[]; message?: string };
  if (status !== 200 || usage === undefined)
    throw new OperatorError(message ?? `${at.endpoint} tells no usage of functions: it answered ${status}.`);
  return usage;
}
