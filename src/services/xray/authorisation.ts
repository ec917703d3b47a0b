import type { Tag } from "@aws-sdk/client-xray";
import { formatArn, parseArn } from "#core/arn";
import type { Documents } from "#storage/documents";
import { tagListKeys } from "#wire/authorisation/request-keys";
import type { Question, ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import { groupArn, groupByName } from "./groups.ts";
import { ruleArn } from "./sampling.ts";
import { tagsOf } from "./tags.ts";

interface Input {
  readonly GroupName?: string | undefined;
  readonly GroupARN?: string | undefined;
  readonly RuleName?: string | undefined;
  readonly RuleARN?: string | undefined;
  readonly SamplingRule?: Pick<Input, "RuleName" | "RuleARN"> | undefined;
  readonly SamplingRuleUpdate?: Pick<Input, "RuleName" | "RuleARN"> | undefined;
  readonly ResourceARN?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

/**
 * What X-Ray's operations need permission for (Service Authorization Reference, "AWS X-Ray"): groups and sampling rules are
 * its only resources; traces are not.
 */
export function createXRayAuthorisation(documents: Documents): ServiceAuthorisation {
  const onGroup = (action: string) => (input: Input, call: CallContext) => {
    const { GroupName: name = "", GroupARN } = input;
    const group = groupByName(documents, call, name);
    // The end of a missing group's ARN is not known.
    return ask(action, GroupARN ?? groupArn(call, group ?? { name, id: "*" }), input);
  };
  const onRule = (action: string) => (input: Input, call: CallContext) => {
    const { RuleARN, RuleName = "" } = input.SamplingRule ?? input.SamplingRuleUpdate ?? input;
    return ask(action, RuleARN ?? ruleArn(call, RuleName), input);
  };
  const onResource = (action: string) => (input: Input, call: CallContext) =>
    ask(action, input.ResourceARN ?? formatArn("xray", call.region, call.account, "*"), input);
  return {
    prefix: "xray",
    questions: {
      ...each(["CreateGroup", "DeleteGroup", "GetGroup", "UpdateGroup"], onGroup),
      ...each(["CreateSamplingRule", "DeleteSamplingRule", "UpdateSamplingRule"], onRule),
      ...each(["ListTagsForResource", "TagResource", "UntagResource"], onResource),
    },
    resourceTags: (arn) => {
      const scope = parseArn(arn);
      return scope === undefined ? undefined : tagsOf(documents, scope, arn);
    },
  };
}

type Ask = (input: Input, call: CallContext) => readonly Question[];

function each(names: readonly string[], make: (action: string) => Ask): Readonly<Record<string, Ask>> {
  return Object.fromEntries(names.map((name) => [name, make(name)]));
}

function ask(action: string, resource: string, { Tags, TagKeys }: Input): readonly Question[] {
  const keys = { ...tagListKeys(Tags), ...(TagKeys === undefined ? {} : { "aws:tagkeys": TagKeys }) };
  return [{ action: `xray:${action}`, resource, keys }];
}
