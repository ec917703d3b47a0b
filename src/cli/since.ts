import { OperatorError } from "#core/errors";
import { exit } from "./command.ts";

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `15m` before `now`, or an ISO time; epoch milliseconds. @param option that gave it */
export function since(value: string, now: number, option = "--since"): number {
  const [, amount, unit] = /^(\d+)([smhd])$/.exec(value) ?? [];
  if (amount !== undefined && unit !== undefined) return now - Number(amount) * (unitMs[unit] ?? 0);
  const time = Date.parse(value);
  if (Number.isNaN(time))
    throw new OperatorError(`${option}: must be as 90s, 15m, 2h, 3d or an ISO time`, exit.usage);
  return time;
}
