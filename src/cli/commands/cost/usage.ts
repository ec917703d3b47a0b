import { OperatorError } from "#core/errors";

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

export async function readUsage(endpoint: string, query: UsageQuery): Promise<readonly UsageLine[]> {
  const url = new URL("/_thaw/cost", endpoint);
  url.search = new URLSearchParams({ ...query }).toString();
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new OperatorError(`There is no platform at ${endpoint}.`);
  }
  const answer = (await response.json().catch(() => ({}))) as {
    usage?: readonly UsageLine[];
    message?: string;
  };
  if (!response.ok || answer.usage === undefined)
    throw new OperatorError(
      answer.message ?? `${endpoint} tells no usage of functions: it answered ${response.status}.`,
    );
  return answer.usage;
}
