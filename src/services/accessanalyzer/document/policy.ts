import type { PolicyType, ValidatePolicyResourceType } from "@aws-sdk/client-accessanalyzer";
import {
  elementsOf,
  memberOf,
  membersOf,
  textsOf,
  type MemberPlace,
  type Place,
  type Text,
} from "./place.ts";

/** What a policy is for. */
export interface PolicyUse {
  readonly type: PolicyType;
  /** What it is attached to, where a resource's policy says. */
  readonly resourceType: ValidatePolicyResourceType | undefined;
}

/** A policy as checks look at it. What is not as it should be is left out here, and told of by the check of its structure. */
export interface PolicyView {
  readonly use: PolicyUse;
  /** Whether it says who may assume a role. */
  readonly trust: boolean;
  readonly text: string;
  readonly root: Place;
  /** `undefined` where there is none, or it is no string. */
  readonly version: string | undefined;
  readonly statements: readonly StatementView[];
}

export interface StatementView {
  readonly place: Place;
  readonly effect: string | undefined;
  readonly sid: Text | undefined;
  readonly actions: Listed | undefined;
  readonly resources: Listed | undefined;
  readonly principals: PrincipalsView | undefined;
  readonly conditions: readonly ConditionView[];
}

/** `Action` or `NotAction` and the like, with what it lists. */
export interface Listed {
  readonly negated: boolean;
  readonly member: MemberPlace;
  readonly texts: readonly Text[];
}

export interface PrincipalsView {
  readonly negated: boolean;
  readonly member: MemberPlace;
  /** By kind, `AWS` or `Service`; none where the element is one string. */
  readonly kinds: readonly {
    readonly kind: string;
    readonly member: MemberPlace;
    readonly texts: readonly Text[];
  }[];
}

/** One operator on one key. */
export interface ConditionView {
  /** As the document writes it, `ForAnyValue:StringLike`. */
  readonly operator: string;
  readonly operatorPlace: MemberPlace;
  /** `forallvalues`, `foranyvalue`, or nothing. */
  readonly qualifier: string;
  /** In lower case, without what stands before and after it. */
  readonly base: string;
  readonly ifExists: boolean;
  readonly key: string;
  readonly member: MemberPlace;
  readonly values: readonly Place[];
}

const OPERATOR = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/i;

export function viewPolicy(use: PolicyUse, text: string, root: Place): PolicyView {
  const version = memberOf(root, "Version")?.node;
  const statement = memberOf(root, "Statement");
  return {
    use,
    trust: use.resourceType === "AWS::IAM::AssumeRolePolicyDocument",
    text,
    root,
    version: version?.kind === "string" ? version.value : undefined,
    statements:
      statement === undefined
        ? []
        : elementsOf(statement)
            .filter(({ node }) => node.kind === "object")
            .map(viewStatement),
  };
}

function viewStatement(place: Place): StatementView {
  const effect = memberOf(place, "Effect")?.node;
  const sid = memberOf(place, "Sid");
  const condition = memberOf(place, "Condition");
  return {
    place,
    effect: effect?.kind === "string" ? effect.value : undefined,
    sid: sid === undefined ? undefined : textsOf(sid)[0],
    actions: listed(place, "Action", "NotAction"),
    resources: listed(place, "Resource", "NotResource"),
    principals: principals(place),
    conditions: condition === undefined ? [] : membersOf(condition).flatMap(viewConditions),
  };
}

function listed(place: Place, name: string, negation: string): Listed | undefined {
  const plain = memberOf(place, name);
  const member = plain ?? memberOf(place, negation);
  return member === undefined ? undefined : { negated: plain === undefined, member, texts: textsOf(member) };
}

function principals(place: Place): PrincipalsView | undefined {
  const plain = memberOf(place, "Principal");
  const member = plain ?? memberOf(place, "NotPrincipal");
  if (member === undefined) return undefined;
  const kinds = membersOf(member).map((each) => ({ kind: each.name, member: each, texts: textsOf(each) }));
  return { negated: plain === undefined, member, kinds };
}

function viewConditions(operatorPlace: MemberPlace): readonly ConditionView[] {
  const [, qualifier = "", base = "", ifExists] = OPERATOR.exec(operatorPlace.name) ?? [];
  return membersOf(operatorPlace).map((member) => ({
    operator: operatorPlace.name,
    operatorPlace,
    qualifier: qualifier.toLowerCase(),
    base: base.toLowerCase(),
    ifExists: ifExists !== undefined,
    key: member.name,
    member,
    values: elementsOf(member),
  }));
}

/** Whether a statement has a condition on one of some keys, in lower case. */
export function hasKey({ conditions }: StatementView, ...keys: readonly string[]): boolean {
  return conditions.some(({ key }) => keys.includes(key.toLowerCase()));
}
