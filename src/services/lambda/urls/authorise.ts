import type { Principal } from "#core/principal";
import { credentialScope } from "#wire/auth/scope";
import type { Authenticate } from "#wire/auth/types";
import type { Asking, Question } from "#wire/authorisation/types";
import { urlQuestions } from "../authorisation.ts";
import { urlErrors } from "./errors.ts";
import type { UrlRecord } from "./records.ts";
import type { UrlCaller, UrlRequest } from "./types.ts";

/** Whether somebody lacks one of several permissions, by the policies of both sides and the platform's mode. */
export type UrlPermissions = (questions: readonly Question[], asking: Asking) => "granted" | "refused";

export interface Subject {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** `$LATEST`, or the alias that the URL leads to. */
  readonly qualifier: string;
  readonly authType: UrlRecord["authType"];
  /** Epoch milliseconds. */
  readonly receivedAt: number;
}

export interface UrlGuards {
  readonly authenticate: Authenticate | undefined;
  readonly permissions: UrlPermissions | undefined;
}

/**
 * Who is calling a URL; undefined where it demands no signature. The function's policy must allow everybody then; a
 * signed call needs what any call of another account, or of the function's own, needs.
 * @throws AwsError where the call is not allowed, or its signature is wrong
 */
export async function authorise(
  request: UrlRequest,
  subject: Subject,
  { authenticate, permissions }: UrlGuards,
): Promise<UrlCaller | undefined> {
  const caller =
    subject.authType === "NONE" ? undefined : await authenticated(request, subject, authenticate);
  const { account, region, receivedAt } = subject;
  const questions = urlQuestions(subject, subject.name, subject.qualifier, subject.authType);
  const answer = permissions?.(questions, {
    principal: caller?.principal,
    account,
    region,
    baseUrl: request.baseUrl,
    headers: request.headers,
    sourceIp: request.remoteAddress,
    receivedAt,
  });
  if (answer !== "granted") throw urlErrors.forbidden();
  return caller;
}

async function authenticated(
  request: UrlRequest,
  { region }: Subject,
  authenticate: Authenticate | undefined,
): Promise<UrlCaller & { readonly principal: Principal }> {
  const scope = credentialScope(request);
  if (scope === undefined || authenticate === undefined) throw urlErrors.forbidden();
  const { principal, ...proved } = await authenticate({ ...request, protocol: "rest-json" });
  if (proved.service !== "lambda")
    throw urlErrors.wrongScope("Credential should be scoped to correct service: 'lambda'.");
  if (proved.region !== region)
    throw urlErrors.wrongScope(`Credential should be scoped to a valid region, not '${proved.region}'.`);
  const { account, arn, userId } = principal;
  return { accessKey: scope.accessKeyId, account, arn, userId, principal };
}
