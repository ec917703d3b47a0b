import type * as client from "@aws-sdk/client-accessanalyzer";
import { parseArn } from "#core/arn";
import { smallestPolicy, suggestedDocument } from "#policy/least-privilege";
import type { Change } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { AnalyzerDeps } from "../deps.ts";
import { analyzerErrors } from "../errors.ts";
import {
  isCurrent,
  isOfToday,
  jobKey,
  storedJobs,
  type JobDocument,
  type Scope,
  type TrailWindow,
} from "../generation/jobs.ts";
import { LIMITS } from "../limits.ts";
import { pageOf } from "../pages.ts";

type Analyzer = typeof client;

/** Policies of what roles and users really did: the same as `thaw iam suggest` prints. */
export function policyGenerationOperations({ documents, clock, ids, usage, holders }: AnalyzerDeps) {
  const StartPolicyGeneration: Handler<Analyzer, "StartPolicyGeneration"> = async (input, call) => {
    const principalArn = input.policyGenerationDetails?.principalArn ?? "";
    if (parseArn(principalArn)?.account !== call.account)
      throw analyzerErrors.invalid("The principal must be a role or a user of the caller's account.");
    const now = clock.now();
    const window = windowOf(input.cloudTrailDetails, now);
    const id = ids.uuid();
    const key = jobKey(call, input.clientToken ?? id);
    const asked = JSON.stringify([principalArn, input.cloudTrailDetails]);
    let jobId = id;
    await revise<JobDocument>(documents, key, (current) => {
      if (current !== undefined && isCurrent(current.value, now)) {
        if (current.value.asked !== asked) throw analyzerErrors.tokenReused(current.value.id);
        jobId = current.value.id;
        return [];
      }
      const jobs = storedJobs(documents, call);
      if (jobs.filter(({ job }) => isOfToday(job, now)).length >= LIMITS.generationsPerDay)
        throw analyzerErrors.tooManyJobs(LIMITS.generationsPerDay);
      const job: JobDocument = {
        id,
        principalArn,
        startedAt: now,
        window,
        result: generate(principalArn, window),
        asked,
      };
      const old = jobs.filter((stored) => !isCurrent(stored.job, now) && stored.key.join() !== key.join());
      return [{ key, value: job }, ...old.map((stored): Change => ({ key: stored.key, delete: true }))];
    });
    return { jobId };
  };

  const GetGeneratedPolicy: Handler<Analyzer, "GetGeneratedPolicy"> = (input, call) => {
    const { id, principalArn, startedAt, window, result } = requireJob(call, input.jobId);
    const time = new Date(startedAt);
    const properties = {
      principalArn,
      ...(window === undefined ? {} : { cloudTrailProperties: describeWindow(window) }),
    };
    if ("missing" in result)
      return {
        jobDetails: {
          jobId: id,
          status: "FAILED",
          startedOn: time,
          completedOn: time,
          jobError: { code: "RESOURCE_NOT_FOUND_ERROR", message: `${principalArn} does not exist.` },
        },
        generatedPolicyResult: { properties },
      };
    return {
      jobDetails: { jobId: id, status: "SUCCEEDED", startedOn: time, completedOn: time },
      generatedPolicyResult: {
        properties: { ...properties, isComplete: result.complete },
        generatedPolicies: result.policies.map((policy) => ({ policy })),
      },
    };
  };

  const ListPolicyGenerations: Handler<Analyzer, "ListPolicyGenerations"> = (input, call) => {
    const jobs = current(call).filter(
      ({ principalArn }) => input.principalArn === undefined || principalArn === input.principalArn,
    );
    const { page, next } = pageOf(jobs, input);
    return {
      policyGenerations: page.map(({ id, principalArn, startedAt, result }) => ({
        jobId: id,
        principalArn,
        status: "missing" in result ? ("FAILED" as const) : ("SUCCEEDED" as const),
        startedOn: new Date(startedAt),
        completedOn: new Date(startedAt),
      })),
      ...next,
    };
  };

  const CancelPolicyGeneration: Handler<Analyzer, "CancelPolicyGeneration"> = (input, call) => {
    // It has ended, and stays what it is.
    requireJob(call, input.jobId);
    return {};
  };

  function generate(principalArn: string, window: TrailWindow | undefined): JobDocument["result"] {
    if (!holders.hasHolder(principalArn)) return { missing: true };
    const used = usage
      .uses()
      .filter(
        ({ holder, allowed, first, last }) =>
          holder === principalArn &&
          allowed &&
          (window === undefined || (last >= window.start && first <= window.end)),
      );
    const policy = suggestedDocument(smallestPolicy(used));
    return { policies: used.length === 0 ? [] : [JSON.stringify(policy)], complete: usage.complete };
  }

  function current(scope: Scope): readonly JobDocument[] {
    const now = clock.now();
    return storedJobs(documents, scope)
      .map(({ job }) => job)
      .filter((job) => isCurrent(job, now));
  }

  function requireJob(scope: Scope, id: string | undefined): JobDocument {
    const job = current(scope).find((one) => one.id === id);
    if (job === undefined) throw analyzerErrors.jobMissing(id ?? "");
    return job;
  }

  return {
    StartPolicyGeneration,
    GetGeneratedPolicy,
    ListPolicyGenerations,
    CancelPolicyGeneration,
  } satisfies OperationsOf<Analyzer>;
}

/** @throws AwsError ValidationException */
function windowOf(details: client.CloudTrailDetails | undefined, now: number): TrailWindow | undefined {
  if (details === undefined) return undefined;
  const start = details.startTime?.getTime() ?? 0;
  const end = details.endTime?.getTime() ?? now;
  if (start >= end) throw analyzerErrors.invalid("startTime must be before endTime.");
  return {
    start,
    end,
    trails: (details.trails ?? []).map(({ cloudTrailArn = "", regions, allRegions }) => ({
      cloudTrailArn,
      ...(regions === undefined ? {} : { regions }),
      ...(allRegions === undefined ? {} : { allRegions }),
    })),
  };
}

function describeWindow({ trails, start, end }: TrailWindow): client.CloudTrailProperties {
  return {
    trailProperties: trails.map(({ cloudTrailArn, regions, allRegions }) => ({
      cloudTrailArn,
      ...(regions === undefined ? {} : { regions: [...regions] }),
      ...(allRegions === undefined ? {} : { allRegions }),
    })),
    startTime: new Date(start),
    endTime: new Date(end),
  };
}
