import type { Tag } from "@aws-sdk/client-xray";
import { tagListKeys } from "#wire/authorisation/request-keys";
import { each } from "#wire/authorisation/table";
import type { ServiceAuthorisation } from "#wire/authorisation/types";
import type { CallContext } from "#wire/operation";
import type { Documents } from "#storage/documents";
import { groupArn, groupByName } from "./groups.ts";
import { ruleArn } from "./sampling.ts";
import { tagsOf } from "./tags.ts";

interface Named {
  readonly GroupName?: string | undefined;
  readonly GroupARN?: string | undefined;
  readonly RuleName?: string | undefined;
  readonly RuleARN?: string | undefined;
  readonly SamplingRule?: Named | undefined;
  readonly SamplingRuleUpdate?: Named | undefined;
  readonly ResourceARN?: string | undefined;
  readonly Tags?: readonly Tag[] | undefined;
  readonly TagKeys?: readonly string[] | undefined;
}

/**
 * What X-Ray's operations need permission for (Service Authorization Reference, "AWS X-Ray"): groups, sampling rules and
 * their tags by ARN, everything else under its own name on `*`.
 */
export function createXRayAuthorisation(documents: Documents): ServiceAuthorisation {
  function group({ GroupName = "", GroupARN }: Named, call: CallContext): string {
    // The end of a new group's ARN is not known before it is made.
    return (
      GroupARN ?? groupArn(call, groupByName(documents, call, GroupName) ?? { name: GroupName, id: "*" })
    );
  }
  return {
    prefix: "xray",
    questions: {
      ...each("xray", ["CreateGroup", "GetGroup", "UpdateGroup", "DeleteGroup"], (input: Named, call) => ({
        resource: group(input, call),
        keys: tagListKeys(input.Tags),
      })),
      ...each(
        "xray",
        ["CreateSamplingRule", "UpdateSamplingRule", "DeleteSamplingRule"],
        (input: Named, call) => ({
          resource: ruleOf(input.SamplingRule ?? input.SamplingRuleUpdate ?? input, call),
          keys: tagListKeys(input.Tags),
        }),
      ),
      ...each("xray", ["TagResource", "UntagResource", "ListTagsForResource"], (input: Named) => ({
        resource: input.ResourceARN ?? "*",
        keys: {
          ...tagListKeys(input.Tags),
          ...(input.TagKeys === undefined ? {} : { "aws:tagkeys": input.TagKeys }),
        },
      })),
    },
    resourceTags: (arn) => {
      const [, , , region = "", account = ""] = arn.split(":", 6);
      return tagsOf(documents, { account, region }, arn);
    },
  };
}

function ruleOf({ RuleName = "", RuleARN }: Named, call: CallContext): string {
  return RuleARN ?? ruleArn(call, RuleName);
}
