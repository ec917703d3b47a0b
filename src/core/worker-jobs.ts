import { parentPort } from "node:worker_threads";
import { AwsError } from "./errors.ts";

export interface JobMessage {
  readonly id: number;
  readonly job: unknown;
}

export interface ReplyMessage {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: PackedError;
}

/** An error as it passes between threads: a structured clone would lose an AwsError's class and members. */
export type PackedError =
  | {
      readonly kind: "aws";
      readonly code: string;
      readonly message: string;
      readonly status: number;
      readonly members: Readonly<Record<string, unknown>>;
      readonly headers: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: "other";
      readonly message: string;
      readonly stack: string | undefined;
      /** A system error's, such as ENOSPC. */
      readonly code: string | undefined;
    };

export interface JobResult {
  readonly value: unknown;
  /** What of `value` moves to the asker instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

type Answer<Job> = (job: Job) => JobResult | Promise<JobResult>;

/** Answers the jobs of the WorkerThread that started this thread, as many at a time as it sends. */
export function serveJobs<Job>(answer: Answer<Job>): void {
  const port = parentPort;
  if (port === null) throw new Error("this module is for worker threads");
  const serve = async ({ id, job }: JobMessage): Promise<void> => {
    try {
      const { value, transfer } = await answer(job as Job);
      port.postMessage({ id, value } satisfies ReplyMessage, transfer);
    } catch (error) {
      port.postMessage({ id, error: packError(error) } satisfies ReplyMessage);
    }
  };
  port.on("message", (message: JobMessage) => void serve(message));
}

function packError(error: unknown): PackedError {
  if (error instanceof AwsError) {
    const { code, message, status, members, headers } = error;
    return { kind: "aws", code, message, status, members, headers };
  }
  if (!(error instanceof Error))
    return { kind: "other", message: String(error), stack: undefined, code: undefined };
  const { message, stack } = error;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return { kind: "other", message, stack, code };
}
