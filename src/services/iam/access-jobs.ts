import type { Clock } from "#core/clock";
import type { Ids } from "#core/ids";
import type { Documents } from "#storage/documents";
import { revise } from "../revise.ts";
import { REGION } from "./store.ts";

/** A report that was asked for, of what was used last. It is made when it is read. */
export interface AccessJob {
  readonly id: string;
  readonly arn: string;
  readonly granularity: "SERVICE_LEVEL" | "ACTION_LEVEL";
  /** Epoch milliseconds. */
  readonly created: number;
}

/** Of an account: the oldest are forgotten. */
const KEPT_JOBS = 10_000;

const jobKey = (account: string, number: number) =>
  [account, REGION, "access-report", "job", number] as const;
const counterKey = (account: string) => [account, REGION, "access-report", "jobs"] as const;

/** A job's id ends with its number, so that it is found, and forgotten, by that alone. */
export async function addJob(
  { documents, clock, ids }: { readonly documents: Documents; readonly clock: Clock; readonly ids: Ids },
  account: string,
  job: Pick<AccessJob, "arn" | "granularity">,
): Promise<string> {
  let id = "";
  const counter = counterKey(account);
  await revise<number>(documents, counter, (current) => {
    const number = (current?.value ?? 0) + 1;
    id = `${ids.uuid().slice(0, 24)}${number.toString(16).padStart(12, "0")}`;
    const value: AccessJob = { id, ...job, created: clock.now() };
    return [
      { key: counter, value: number },
      { key: jobKey(account, number), value },
      ...(number > KEPT_JOBS ? [{ key: jobKey(account, number - KEPT_JOBS), delete: true } as const] : []),
    ];
  });
  return id;
}

export function findJob(documents: Documents, account: string, id: string): AccessJob | undefined {
  const number = Number.parseInt(id.slice(24), 16);
  if (!Number.isSafeInteger(number) || number < 0) return undefined;
  const job = documents.get<AccessJob>(jobKey(account, number))?.value;
  return job?.id === id ? job : undefined;
}
