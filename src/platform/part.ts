import type { Family } from "#telemetry/open-metrics";
import type { HttpRequest, HttpResponse } from "#server/listener";
import type { ServiceDefinition } from "#wire/operation";

/** A service with what it does beside answering requests. All but its definition is optional. */
export interface ServicePart {
  readonly definition: ServiceDefinition;
  /**
   * How to answer a request that asks for no operation, such as one for a link that the service gave out or a browser's
   * preflight; undefined, at once, for all others.
   */
  readonly serve?: (request: HttpRequest) => (() => Promise<HttpResponse>) | undefined;
  /**
   * Takes up what was under way when the platform last stopped. Called once, when the platform listens; where it throws,
   * the platform does not start, and all parts are stopped and closed, those too that were not started.
   */
  readonly start?: () => void | Promise<void>;
  /** Takes up nothing more, and waits up to `graceMs` for what is under way. Called before storage closes. */
  readonly stop?: (graceMs: number) => void | Promise<void>;
  /** Answers those who wait for something, so that storage can be emptied; called when nobody new is let in. */
  readonly release?: () => void;
  /** What it would have sent to people and devices, oldest first. */
  readonly outbox?: () => readonly object[];
  /** What it adds to `/_thaw/metrics`. */
  readonly openMetrics?: () => Promise<readonly Family[]>;
  /** Writes what it still holds in memory; called when no request and no function runs any more, before storage closes. */
  readonly close?: () => Promise<void>;
  /** Lets go of what it holds in memory of functions that were deleted a while ago. @param arns unqualified */
  readonly forget?: (arns: ReadonlySet<string>) => void;
  /** Forgets what it holds in memory of the storage; called after that was emptied. */
  readonly reset?: () => void;
}
