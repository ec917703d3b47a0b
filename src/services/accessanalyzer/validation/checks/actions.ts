import type { ValidatePolicyResourceType } from "@aws-sdk/client-accessanalyzer";
import type { Text } from "../../document/place.ts";
import type { PolicyView, StatementView } from "../../document/policy.ts";
import { suggestions } from "../advice.ts";
import { errors, typeErrors } from "../errors.ts";
import type { CheckContext } from "../report.ts";

/** API operations that are taken for actions, and what they ask permission for. */
const OPERATIONS: Readonly<Record<string, string>> = {
  "lambda:invoke": "lambda:InvokeFunction",
  "lambda:invokeasync": "lambda:InvokeFunction",
  "s3:completemultipartupload": "s3:PutObject",
  "s3:copyobject": "s3:PutObject",
  "s3:createmultipartupload": "s3:PutObject",
  "s3:deleteobjects": "s3:DeleteObject",
  "s3:headbucket": "s3:ListBucket",
  "s3:headobject": "s3:GetObject",
  "s3:listbuckets": "s3:ListAllMyBuckets",
  "s3:listobjects": "s3:ListBucket",
  "s3:listobjectsv2": "s3:ListBucket",
  "s3:listobjectversions": "s3:ListBucketVersions",
  "s3:uploadpart": "s3:PutObject",
  "sqs:changemessagevisibilitybatch": "sqs:ChangeMessageVisibility",
  "sqs:deletemessagebatch": "sqs:DeleteMessage",
  "sqs:sendmessagebatch": "sqs:SendMessage",
  "sns:publishbatch": "sns:Publish",
};

/** The prefixes of the actions, and the services of the ARNs, that policies of a resource type may name. */
export const RESOURCE_TYPES: Readonly<
  Record<ValidatePolicyResourceType, { readonly actions: string; readonly resources: string | undefined }>
> = {
  "AWS::S3::Bucket": { actions: "s3", resources: "s3" },
  "AWS::S3::AccessPoint": { actions: "s3", resources: "s3" },
  "AWS::S3::MultiRegionAccessPoint": { actions: "s3", resources: "s3" },
  "AWS::S3ObjectLambda::AccessPoint": { actions: "s3-object-lambda", resources: "s3-object-lambda" },
  "AWS::DynamoDB::Table": { actions: "dynamodb", resources: "dynamodb" },
  "AWS::IAM::AssumeRolePolicyDocument": { actions: "sts", resources: undefined },
};

/** How many actions are looked for among all of AWS's that resemble them. */
const MOST_HINTS = 20;

/** Actions that AWS does not have, and those that a policy of its type may not name. */
export function checkActions(policy: PolicyView, context: CheckContext): void {
  const hints = { left: MOST_HINTS };
  for (const statement of policy.statements)
    for (const action of statement.actions?.texts ?? []) {
      checkAction(action, context, hints);
      checkByType(action, statement, policy, context);
    }
}

function checkAction(
  action: Text,
  { reference, report, mayTake }: CheckContext,
  hints: { left: number },
): void {
  const { text } = action;
  // Variables are told of by another check.
  if (text === "*" || text.includes("${")) return;
  const colon = text.indexOf(":");
  const [prefix, name] = colon === -1 ? ["", text] : [text.slice(0, colon), text.slice(colon + 1)];
  const hint = (find: () => string | undefined): string | undefined =>
    hints.left-- > 0 ? find() : undefined;
  if (colon === -1) report(errors.action(text, undefined), action);
  else if (/[*?]/.test(prefix)) report(suggestions.wildcardInService(), action);
  else if (!reference.hasService(prefix))
    report(
      errors.serviceInAction(
        prefix,
        hint(() => reference.serviceLike(prefix)),
      ),
      action,
    );
  else if (name !== "*" && !reference.hasAction(prefix, name, mayTake)) {
    const meant = OPERATIONS[text.toLowerCase()] ?? hint(() => likeAction(prefix, name, reference));
    report(errors.action(text, meant), action);
  }
}

function likeAction(prefix: string, name: string, reference: CheckContext["reference"]): string | undefined {
  const found = reference.actionLike(prefix, name);
  return found === undefined ? undefined : `${prefix}:${found}`;
}

function checkByType(
  action: Text,
  { actions, effect }: StatementView,
  { use }: PolicyView,
  { reference, report }: CheckContext,
): void {
  const { text } = action;
  const prefix = text.slice(0, Math.max(text.indexOf(":"), 0));
  if (use.type === "SERVICE_CONTROL_POLICY") {
    if (/[*?]./.test(text)) report(typeErrors.scpActionWildcard(text), action);
  } else if (use.type === "RESOURCE_CONTROL_POLICY") {
    // Only what organizations come with allows everything.
    const everything = text === "*" && effect === "Allow";
    if (!everything && actions?.negated === false && !reference.takesResourceControl(prefix))
      report(typeErrors.rcpAction(), action);
  } else if (use.resourceType !== undefined && text !== "*") {
    const wanted = RESOURCE_TYPES[use.resourceType].actions;
    if (reference.hasService(prefix) && prefix.toLowerCase() !== wanted)
      report(errors.actionInPolicy(text, use.resourceType), action);
  }
}
