import type { Principal } from "#core/principal";
import type { ServiceAuthorisation } from "./authorisation/types.ts";
import type { CallContext } from "./call-context.ts";

export type { CallContext } from "./call-context.ts";

/** A handler as `wire` calls it: input and output as the official client's types, streaming blobs as Readable or bytes. */
export type UntypedHandler = (input: never, call: CallContext) => unknown;

/** What a service hands to `wire`: its name in botocore, and a handler for each operation that is built. */
export interface ServiceDefinition {
  /** botocore's folder name: `lambda`, `logs`, `iam`, `sts`. */
  readonly name: string;
  readonly operations: Readonly<Record<string, UntypedHandler>>;
  /** Operations that take requests without a signature, because something else in them proves who asks. */
  readonly unsigned?: readonly string[];
  /** How it answers whoever does not sign; without it, they are asked for a signature. */
  readonly anonymous?: AnonymousAccess;
  /** What its operations need permission for; without it, `<name>:<Operation>` on `*`. */
  readonly authorisation?: ServiceAuthorisation;
  /** Told of requests that were refused before they came to their handler: for their signature, form or permission. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

export interface Refusal {
  readonly operation: string;
  /** As in AnonymousAccess. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
}

/** Operations that the policy of a resource can open to everybody. */
export interface AnonymousAccess {
  /**
   * The account and the region of what an operation is called on; undefined where it needs a signature.
   * @param path the resource's, beginning with a bucket's name even where that came in the host's
   * @throws AwsError where there is no such resource, or nobody may call the operation without a signature
   */
  locate(operation: string, path: string): { readonly account: string; readonly region: string } | undefined;
}

/** Calls an operation of another service with the same checks as over HTTP. Values are cloneable or streams. */
export interface AwsCaller {
  call(service: string, operation: string, input: unknown, caller: CallerIdentity): Promise<unknown>;
}

export interface CallerIdentity {
  readonly principal: Principal;
  readonly region: string;
  /** Ends a call that waits, such as a long poll of SQS, as a client does that hangs up. */
  readonly signal?: AbortSignal;
  /** `X-Amzn-Trace-Id` of what caused the call: the trace that it belongs to, and its lineage. */
  readonly traceHeader?: string | undefined;
}

type CommandOf<Client, Name extends string> = `${Name}Command` extends keyof Client
  ? Client[`${Name}Command`]
  : never;

/**
 * The handlers of a service, typed by its official client module: `OperationsOf<typeof import("@aws-sdk/client-iam")>`.
 * Each is optional, because an operation without a handler answers an AWS error that names it.
 */
export type OperationsOf<Client> = {
  readonly [
    Name in keyof Client as Name extends `${infer Operation}Command` ? Operation : never
  ]?: Name extends `${infer Operation}Command` ? Handler<Client, Operation> : never;
};

/** One operation's handler: `Handler<typeof import("@aws-sdk/client-iam"), "GetRole">`. */
export type Handler<Client, Name extends string> = (
  input: InputOf<Client, Name>,
  call: CallContext,
) => Promise<OutputOf<Client, Name>> | OutputOf<Client, Name>;

/** An operation's input as the official client types it. */
export type InputOf<Client, Name extends string> =
  CommandOf<Client, Name> extends new (...args: never[]) => { readonly input: infer Input } ? Input : never;

/** An operation's output, without the client's `$metadata`. */
export type OutputOf<Client, Name extends string> =
  CommandOf<Client, Name> extends new (...args: never[]) => {
    resolveMiddleware(...args: never[]): (...args: never[]) => Promise<{ output: infer Output }>;
  }
    ? Omit<Output, "$metadata">
    : never;
