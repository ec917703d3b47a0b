import { createHash } from "node:crypto";
import type { DocumentKey, Documents } from "#storage/documents";
import { LIMITS } from "../limits.ts";

/** Where a call acts. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

/** The trails that a job was asked to look at, and their time. */
export interface TrailWindow {
  readonly trails: readonly {
    readonly cloudTrailArn: string;
    readonly regions?: readonly string[];
    readonly allRegions?: boolean;
  }[];
  /** Epoch milliseconds. */
  readonly start: number;
  readonly end: number;
}

/** A policy generation, which ends before it is answered. */
export interface JobDocument {
  readonly id: string;
  readonly principalArn: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly window: TrailWindow | undefined;
  /** What it was started with, as text: a client token stands for one input. */
  readonly asked: string;
  /** What came of it: a policy, nothing where nothing was used, or that the principal is not there. */
  readonly result:
    | { readonly policies: readonly string[]; readonly complete: boolean }
    | { readonly missing: true };
}

const KIND = "access-analyzer-generation";
const DAY_MS = 24 * 3600 * 1000;

/** Jobs are kept by the token that makes starting them again the same job. */
export function jobKey({ account, region }: Scope, clientToken: string): DocumentKey {
  return [account, region, KIND, createHash("sha256").update(clientToken).digest("hex")];
}

export interface StoredJob {
  readonly key: DocumentKey;
  readonly job: JobDocument;
}

/** Every job that is kept, newest first: the quota bounds how many there are. */
export function storedJobs(documents: Documents, { account, region }: Scope): readonly StoredJob[] {
  return [...documents.list<JobDocument>([account, region, KIND])]
    .map(({ key, value }) => ({ key, job: value }))
    .sort((a, b) => b.job.startedAt - a.job.startedAt || (a.job.id < b.job.id ? -1 : 1));
}

export function isCurrent({ startedAt }: JobDocument, now: number): boolean {
  return startedAt > now - LIMITS.generationDays * DAY_MS;
}

export function isOfToday({ startedAt }: JobDocument, now: number): boolean {
  return startedAt > now - DAY_MS;
}
