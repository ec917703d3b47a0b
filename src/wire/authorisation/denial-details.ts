import { parseArn } from "#core/arn";
import type { Principal } from "#core/principal";
import type { Statement } from "#policy/compile";
import type { PolicyKind } from "#policy/decide";
import type { Denial } from "#policy/denial";
import {
  listOf,
  type ConditionElement,
  type PrincipalElement,
  type StatementElement,
} from "#policy/document";
import type { PolicySet } from "#policy/policy-set";
import type { PolicyRequest } from "#policy/verdict";
import type { Question } from "./types.ts";

interface Items<T> {
  readonly items: readonly T[];
}

type Values = Items<{ readonly value: string }>;

interface ConditionItem {
  readonly key: string;
  readonly values: Values;
}

/** A denial as STS's DecodeAuthorizationMessage tells it: the form that messages of the real service have. */
export interface DenialDetails {
  readonly allowed: false;
  readonly explicitDeny: boolean;
  readonly matchedStatements: Items<object>;
  readonly failures: Items<never>;
  readonly context: {
    readonly principal: { readonly id: string; readonly name?: string; readonly arn: string };
    readonly action: string;
    readonly resource: string;
    readonly conditions: Items<ConditionItem>;
  };
}

/** Global keys that are told of whether or not a policy asks for them, as AWS spells them. */
const TOLD_KEYS = [
  "aws:PrincipalArn",
  "aws:PrincipalAccount",
  "aws:RequestedRegion",
  "aws:ResourceAccount",
  "aws:SecureTransport",
  "aws:SourceIp",
  "aws:UserAgent",
  "aws:ViaAWSService",
  "aws:userid",
  "aws:username",
];

export interface Denied {
  readonly principal: Principal;
  readonly question: Question;
  readonly request: PolicyRequest;
  readonly denial: Denial;
  readonly region: string;
  /** The account that owns the resource. */
  readonly owner: string;
  readonly sets: Readonly<Partial<Record<PolicyKind, PolicySet | undefined>>>;
}

/** Everything that decided a denial. Another account's policies are left out: whoever decodes it need not see them. */
export function denialDetails(denied: Denied): DenialDetails {
  const { principal, question, denial, owner } = denied;
  const foreign = denial.kind === "resource" && owner !== principal.account;
  const matched = foreign ? undefined : matchedStatement(denied);
  return {
    allowed: false,
    explicitDeny: denial.statement !== undefined,
    matchedStatements: { items: matched === undefined ? [] : [describe(matched, principal)] },
    failures: { items: [] },
    context: {
      principal: {
        id: principal.userId,
        ...(principal.kind === "user" ? { name: principal.userName } : {}),
        arn: principal.arn,
      },
      action: question.action,
      resource: question.resource,
      conditions: { items: conditionsOf(denied) },
    },
  };
}

function matchedStatement({ denial, sets }: Denied): Statement | undefined {
  const { kind, statement: ref } = denial;
  if (ref === undefined) return undefined;
  return sets[kind]?.policies
    .flatMap(({ statements }) => statements)
    .find(({ policy, index }) => policy === ref.policy && index === ref.index);
}

function describe({ sid, element, principal: named }: Statement, principal: Principal): object {
  // Identity policies name nobody: they speak of whom they are attached to, and a session's role has the id before the colon.
  const own = principal.userId.split(":", 1);
  return {
    statementId: sid ?? "",
    effect: element.Effect.toUpperCase(),
    principals: values(named === undefined ? own : principalsOf(element)),
    principalGroups: values([]),
    actions: values(listOf(element.Action ?? element.NotAction)),
    resources: values(listOf(element.Resource ?? element.NotResource)),
    conditions: { items: conditionItems(element.Condition) },
  };
}

function principalsOf({ Principal, NotPrincipal }: StatementElement): readonly string[] {
  const element: PrincipalElement = Principal ?? NotPrincipal ?? {};
  return element === "*" ? ["*"] : Object.values(element).flatMap((names) => listOf(names));
}

function conditionItems(condition: ConditionElement | undefined): readonly ConditionItem[] {
  return Object.values(condition ?? {}).flatMap((byKey) =>
    Object.entries(byKey).map(([key, wanted]) => ({ key, values: values(listOf(wanted).map(String)) })),
  );
}

/** What the request was: where it went, then what policies ask for, what the service adds, and what is always told. */
function conditionsOf({ question, request, region, owner, sets }: Denied): readonly ConditionItem[] {
  const { action, resource } = question;
  const arn = parseArn(resource);
  const items: ConditionItem[] = [
    ["aws:Region", region],
    ["aws:Service", action.split(":", 1)[0] ?? ""],
    ["aws:Resource", arn?.resource ?? resource],
    ["aws:Account", owner],
    ["aws:ARN", resource],
  ].map(([key = "", value = ""]) => ({ key, values: values([value]) }));
  const asked = Object.values(sets).flatMap((set) => set?.policies.flatMap(({ keys }) => [...keys]) ?? []);
  const names = new Map(
    [...asked, ...Object.keys(question.keys ?? {})].map((name) => [name.toLowerCase(), name]),
  );
  for (const name of TOLD_KEYS) names.set(name.toLowerCase(), name);
  for (const [folded, key] of names) {
    const found = request.keys(folded);
    if (found !== undefined && found.length > 0) items.push({ key, values: values(found) });
  }
  return items;
}

function values(texts: readonly string[]): Values {
  return { items: texts.map((value) => ({ value })) };
}
