import type { Clock } from "#core/clock";
import { compilePolicy } from "#policy/compile";
import {
  decide,
  NO_POLICIES,
  type Decision,
  type RequesterPolicies,
  type ResourceSide,
} from "#policy/decide";
import type { Denial } from "#policy/denial";
import { explain } from "#policy/explain";
import type { PolicyDocument } from "#policy/document";
import { parsePolicy, PolicyProblem } from "#policy/grammar";
import { PolicySet } from "#policy/policy-set";
import { ANONYMOUS } from "#policy/requester";
import type { VerdictCache } from "#policy/verdict-cache";
import type { CallContext } from "../call-context.ts";
import type { ServiceDefinition } from "../operation.ts";
import { denialDetails } from "./denial-details.ts";
import { accessDenied, refusalText } from "./denials.ts";
import { requestKeys } from "./request-keys.ts";
import { Requesters } from "./requester.ts";
import { holderOf, type ExplainedDenial } from "./usage.ts";
import type {
  Answered,
  Asking,
  AuthorisationMode,
  PrincipalSource,
  Question,
  Refusal,
  ServiceAuthorisation,
} from "./types.ts";

export interface AuthoriserOptions {
  readonly services: readonly ServiceDefinition[];
  readonly principals: PrincipalSource;
  readonly cache: VerdictCache;
  readonly mode: AuthorisationMode;
  readonly clock: Clock;
  /**
   * Told of every call, whatever the mode, with the permission that it needs first, on the way of the request: it must be
   * quick.
   */
  readonly onCall?: (operation: string, action: string, call: CallContext) => void;
  /** Told of every answer, on the way of the request: it must be quick. */
  readonly onAnswer?: (answered: Answered) => void;
  /** Told of every denial with all that was looked at, which costs more than deciding did. */
  readonly onDenial?: (denial: ExplainedDenial) => void;
}

export interface Authoriser {
  /** The pipeline's step. @throws AwsError in the service's words where a permission is missing */
  authorise(service: string, operation: string, input: object, call: CallContext): void;
  /** The first of the questions that is refused; `undefined` where the mode refuses nobody. */
  refusal(
    service: string,
    operation: string,
    questions: readonly Question[],
    asking: Asking,
  ): Refusal | undefined;
  /** Answers one question, whatever the mode. */
  decide(service: string, question: Question, asking: Asking): Decision;
}

/** A principal that is gone may nothing. */
const GONE: RequesterPolicies = { identity: new PolicySet([]), boundary: undefined, session: undefined };

/** Compiled policies of resources that come as text are kept by that text. */
const KEPT_TEXTS = 2000;

/** Answers of one call in one go: nothing here waits. */
export function createAuthoriser(options: AuthoriserOptions): Authoriser {
  const { principals, cache, mode, clock, onCall, onAnswer, onDenial } = options;
  const tables = new Map(
    options.services.flatMap(({ name, authorisation }) =>
      authorisation === undefined ? [] : [[name, authorisation] as const],
    ),
  );
  /** Resources are asked about under the service that their ARN names. */
  const byPrefix = new Map([...tables.values()].map((table) => [table.prefix, table] as const));
  const requesters = new Requesters();
  const attached = new AttachedPolicies(cache);

  /** Everything that a question is decided by. */
  function caseOf(service: string, question: Question, asking: Asking) {
    const { principal } = asking;
    const { resource } = question;
    const [, , vendor = "", , account = ""] = resource.split(":", 6);
    const table = byPrefix.get(vendor) ?? tables.get(service);
    // AWS's own policies are `aws`'s, and everybody's.
    const owner = question.owner ?? (/^\d{12}$/.test(account) ? account : asking.account);
    const policy = question.policy ?? table?.resourcePolicy?.(resource, principal);
    const own = principal === undefined ? NO_POLICIES : (principals.policiesOf(principal) ?? GONE);
    const keys = requestKeys({
      asking,
      question,
      owner,
      now: () => clock.now(),
      principalTags: () => (principal === undefined ? {} : principals.tagsOf(principal)),
      resourceTags: () => table?.resourceTags?.(resource),
    });
    const requester = principal === undefined ? ANONYMOUS : requesters.of(principal);
    const side: ResourceSide = {
      account: owner,
      policy: policy === undefined ? undefined : attached.of(policy),
      ...(question.policyRequired === undefined ? {} : { policyRequired: question.policyRequired }),
    };
    return { request: { action: question.action.toLowerCase(), resource, requester, keys }, own, side };
  }

  function decideOne(service: string, question: Question, asking: Asking): Decision {
    const { request, own, side } = caseOf(service, question, asking);
    return decide(request, own, side);
  }

  function explainDenial(service: string, question: Question, asking: Asking, denial: Denial): void {
    const { principal } = asking;
    if (onDenial === undefined || principal === undefined) return;
    const { request, own, side } = caseOf(service, question, asking);
    const sets = {
      identity: own.identity,
      boundary: own.boundary,
      session: own.session,
      resource: side.policy,
    };
    const { action, resource } = question;
    onDenial({
      time: asking.receivedAt,
      principal: principal.arn,
      holder: holderOf(principal) ?? principal.arn,
      action,
      resource,
      message: refusalText({ principal, question, denial }),
      looked: Object.entries(sets).flatMap(([kind, set]) =>
        set === undefined ? [] : explain(set, request).map((outcome) => ({ kind, ...outcome })),
      ),
      missing:
        denial.statement === undefined ? { Effect: "Allow", Action: action, Resource: resource } : undefined,
      account: principal.account,
      details: denialDetails({
        principal,
        question,
        request,
        denial,
        region: asking.region,
        owner: side.account,
        sets,
      }),
    });
  }

  function refusal(
    service: string,
    operation: string,
    questions: readonly Question[],
    asking: Asking,
    held: AuthorisationMode = mode,
  ): Refusal | undefined {
    if (held === "off") return undefined;
    const { principal, region, receivedAt: time } = asking;
    for (const asked of questions) {
      const decision = decideOne(service, asked, asking);
      onAnswer?.({ service, operation, principal, region, time, question: asked, decision });
      if (decision.allowed) continue;
      const shown = asked.resource === "*" ? tables.get(service)?.shownForNone?.(asking) : undefined;
      const question = shown === undefined ? asked : { shown, ...asked };
      explainDenial(service, question, asking, decision);
      if (held === "enforce") return { principal, question, denial: decision };
    }
    return undefined;
  }

  return {
    decide: decideOne,
    refusal,
    authorise(service, operation, input, call) {
      const anonymous = call.principal.kind === "anonymous";
      const table = tables.get(service);
      table?.requireCredentials?.(operation, call.principal);
      const questions =
        mode === "off" && !anonymous ? [] : questionsOf(table, service, operation, input, call);
      if (!anonymous)
        onCall?.(operation, questions[0]?.action ?? `${table?.prefix ?? service}:${operation}`, call);
      // Whoever proved nothing is held to what a policy opens to everybody, whatever the mode lets others do.
      const refused = anonymous
        ? refusal(service, operation, questions, unsignedAsking(call), "enforce")
        : refusal(service, operation, questions, call);
      if (refused !== undefined) throw (table?.denied ?? accessDenied)(refused);
    },
  };
}

function unsignedAsking(call: CallContext): Asking {
  const { account, region, baseUrl, headers, sourceIp, receivedAt } = call;
  return {
    principal: undefined,
    account,
    region,
    baseUrl,
    headers,
    receivedAt,
    ...(sourceIp === undefined ? {} : { sourceIp }),
  };
}

function questionsOf(
  table: ServiceAuthorisation | undefined,
  service: string,
  operation: string,
  input: object,
  call: CallContext,
): readonly Question[] {
  const ask = table?.questions[operation];
  // What arrives was deserialised by the schema that types the table.
  if (ask !== undefined) return ask(input as never, call);
  return [{ action: `${table?.prefix ?? service}:${operation}`, resource: "*" }];
}

/** Resources' policies, compiled once for each text or document. */
class AttachedPolicies {
  readonly #cache: VerdictCache;
  readonly #byDocument = new WeakMap<PolicyDocument, PolicySet>();
  readonly #byText = new Map<string, PolicySet | undefined>();

  constructor(cache: VerdictCache) {
    this.#cache = cache;
  }

  of(policy: string | PolicyDocument): PolicySet | undefined {
    if (typeof policy === "string") return this.#ofText(policy);
    const known = this.#byDocument.get(policy);
    if (known !== undefined) return known;
    const compiled = new PolicySet([compilePolicy("resource policy", policy)], this.#cache);
    this.#byDocument.set(policy, compiled);
    return compiled;
  }

  #ofText(text: string): PolicySet | undefined {
    if (this.#byText.has(text)) return this.#byText.get(text);
    if (this.#byText.size >= KEPT_TEXTS) this.#byText.clear();
    const document = parse(text);
    const compiled =
      document === undefined
        ? undefined
        : new PolicySet([compilePolicy("resource policy", document)], this.#cache);
    this.#byText.set(text, compiled);
    return compiled;
  }
}

/** A policy that a service accepted and that still has no meaning grants nothing. */
function parse(text: string): PolicyDocument | undefined {
  try {
    return parsePolicy(text, "resource");
  } catch (error) {
    if (error instanceof PolicyProblem) return undefined;
    throw error;
  }
}
