import { issueMaker, type Issue } from "./issue.ts";

const warning = issueMaker("WARNING");
const security = issueMaker("SECURITY_WARNING");
const suggestion = issueMaker("SUGGESTION");

/** How a statement comes to allow an action on more than it names. */
export type Breadth =
  | "NOT_RESOURCE"
  | "STAR_IN_ACTION_AND_NOT_RESOURCE"
  | "NOT_ACTION_AND_NOT_RESOURCE"
  | "STAR_IN_RESOURCE"
  | "STAR_IN_ACTION_AND_RESOURCE"
  | "STAR_IN_RESOURCE_AND_NOT_ACTION";

const NARROW_ROLES =
  "We recommend that you specify resource ARNs or add the iam:PassedToService condition key to your statement.";
const NARROW = "We recommend that you specify resource ARNs instead.";
const CAN_PASS =
  "can be overly permissive because it can allow iam:PassRole permissions on multiple resources.";
const PASSES_ALL = "can be overly permissive because it allows iam:PassRole permissions on all resources.";

const PASS_ROLE: Readonly<Record<Breadth, string>> = {
  NOT_RESOURCE: `Using the iam:PassRole action with NotResource ${CAN_PASS} ${NARROW}`,
  STAR_IN_ACTION_AND_NOT_RESOURCE: `Using an action with a wildcard (*) and NotResource ${CAN_PASS} ${NARROW}`,
  // AWS's two full stops.
  NOT_ACTION_AND_NOT_RESOURCE: `Using NotAction with NotResource ${CAN_PASS}. ${NARROW}`,
  STAR_IN_RESOURCE: `Using the iam:PassRole action with wildcards (*) in the resource can be overly permissive because it allows iam:PassRole permissions on multiple resources. ${NARROW_ROLES}`,
  STAR_IN_ACTION_AND_RESOURCE: `Using wildcards (*) in the action and the resource ${PASSES_ALL} ${NARROW_ROLES}`,
  STAR_IN_RESOURCE_AND_NOT_ACTION: `Using a resource with wildcards (*) and NotAction ${PASSES_ALL} ${NARROW_ROLES}`,
};

const UNINTENDED = "can allow creation of unintended service-linked roles";
const CREATES_ALL = "because it allows iam:CreateServiceLinkedRole permissions on all resources.";

const CREATE_SLR: Readonly<Record<Breadth, string>> = {
  NOT_RESOURCE: `Using the iam:CreateServiceLinkedRole action with NotResource ${UNINTENDED} for multiple resources. ${NARROW}`,
  STAR_IN_ACTION_AND_NOT_RESOURCE: `Using an action with a wildcard(*) and NotResource ${UNINTENDED} because it can allow iam:CreateServiceLinkedRole permissions on multiple resources. ${NARROW}`,
  NOT_ACTION_AND_NOT_RESOURCE: `Using NotAction with NotResource ${UNINTENDED} because it allows iam:CreateServiceLinkedRole permissions on multiple resources. ${NARROW}`,
  STAR_IN_RESOURCE: `Using the iam:CreateServiceLinkedRole action with wildcards (*) in the resource ${UNINTENDED}. ${NARROW}`,
  STAR_IN_ACTION_AND_RESOURCE: `Using wildcards (*) in the action and the resource ${UNINTENDED} ${CREATES_ALL} ${NARROW}`,
  STAR_IN_RESOURCE_AND_NOT_ACTION: `Using a resource with wildcards (*) and NotAction ${UNINTENDED} ${CREATES_ALL} ${NARROW}`,
};

/** What a policy allows beyond need (IAM user guide, "IAM policy validation check reference"). */
export const securityWarnings = {
  passRole: (breadth: Breadth): Issue => security(`PASS_ROLE_WITH_${breadth}`, PASS_ROLE[breadth]),
  untrustworthyKey: (key: string) =>
    security(
      "UNTRUSTWORTHY_CONDITION_KEY",
      `The ${key} condition key is not recommended for access control as it can be spoofed/manipulated by the caller.`,
    ),
  allowWithNotPrincipal: () =>
    security(
      "ALLOW_WITH_NOT_PRINCIPAL",
      "Using Allow with NotPrincipal can be overly permissive. We recommend that you use Principal instead.",
    ),
  forAllValues: (key: string) =>
    security(
      "FORALLVALUES_WITH_SINGLE_VALUED_KEY",
      `Using ForAllValues qualifier with the single-valued condition key ${key} can be overly permissive. We recommend that you remove ForAllValues:.`,
    ),
  forAnyValueAudience: (key: string) =>
    security(
      "FORANYVALUE_WITH_AUDIENCE_CLAIM_TYPE",
      `Using ForAnyValue qualifier with the single-valued condition key ${key} can be overly permissive. We recommend that you remove ForAnyValue:.`,
    ),
  pairedKeys: (key: string, recommended: string) =>
    security(
      "MISSING_PAIRED_CONDITION_KEYS",
      `Using the condition key ${key} can be overly permissive without also using the following condition keys: ${recommended}. Condition keys like this one are more secure when paired with a related key. We recommend that you add the related condition keys to the same condition block.`,
    ),
  servicePrincipal: () =>
    security(
      "RESTRICT_ACCESS_TO_SERVICE_PRINCIPAL",
      "Granting access to a service principal without specifying a source is overly permissive. Use aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths condition key to grant fine-grained access.",
    ),
  oidcPrincipal: () =>
    security(
      "MISSING_CONDITION_KEY_FOR_OIDC_PRINCIPAL",
      "Using an Open ID Connect principal without a condition can be overly permissive. Add condition keys with a prefix that matches your federated OIDC principals to ensure that only the intended identity provider assumes the role.",
    ),
  githubRepository: () =>
    security(
      "MISSING_GITHUB_REPO_CONDITION_KEY",
      "Granting a federated GitHub principal permissions without a condition key can allow more sources to assume the role than you intended. Add the token.actions.githubusercontent.com:sub condition key and specify the branch and repository name in the value.",
    ),
  stringLikeOnArn: (operator: string, key: string) =>
    security(
      "STRING_LIKE_OPERATOR_WITH_ARN_CONDITION_KEYS",
      `Use the operator type ArnLike instead of operator ${operator} for the condition key ${key}.`,
    ),
  dynamoAttributes: () =>
    security(
      "DYNAMODB_ATTRIBUTES_WITHOUT_SELECT",
      "Restricting dynamodb:Attributes without also setting dynamodb:Select to SPECIFIC_ATTRIBUTES allows all attributes to be returned on read requests that omit a projection expression. We recommend that you also set dynamodb:Select to SPECIFIC_ATTRIBUTES.",
    ),
  s3Prefix: () =>
    security(
      "S3_PREFIX_IN_NEGATIVE_CONTEXT",
      "Using the s3:prefix condition key in a Deny statement or with a negated string operator does not block listing the objects under the matching prefixes. A request that specifies a shorter prefix does not match the condition and can still list those objects. To restrict listing to specific prefixes, use s3:prefix with StringLike in an Allow statement, or use a Deny statement with StringNotLike.",
    ),
} as const;

/** Where a policy departs from good practice. */
export const warnings = {
  createServiceLinkedRole: (breadth: Breadth): Issue =>
    warning(`CREATE_SLR_WITH_${breadth}`, CREATE_SLR[breadth]),
  dateValue: (date: string) =>
    warning(
      "INVALID_DATE_VALUE",
      `The date ${date} might not resolve as expected. We recommend that you use the YYYY-MM-DD format.`,
    ),
  roleId: (id: string) =>
    warning(
      "INVALID_ROLE_REFERENCE",
      `The Principal element includes the IAM role ID ${id}. We recommend that you use a role ARN instead.`,
    ),
  userId: (id: string) =>
    warning(
      "INVALID_USER_REFERENCE",
      `The Principal element includes the IAM user ID ${id}. We recommend that you use a user ARN instead.`,
    ),
  missingVersion: () =>
    warning(
      "MISSING_VERSION",
      "We recommend that you specify the Version element to help you with debugging permission issues.",
    ),
  uniqueSids: () =>
    warning(
      "UNIQUE_SIDS_RECOMMENDED",
      "We recommend that you use statement IDs that are unique to your policy. Update the Sid value.",
    ),
  wildcardWithoutLike: () =>
    warning(
      "WILDCARD_WITHOUT_LIKE_OPERATOR",
      "Your condition value includes a * or ? character. If you meant to use a wildcard (*, ?), update the condition operator to include Like.",
    ),
  identitySize: (size: number, quota: number) =>
    warning(
      "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
      `The ${size} characters in the identity policy, excluding whitespace, exceed the ${quota} character maximum for inline and managed policies. We recommend that you use multiple granular policies.`,
    ),
  resourceSize: (size: number, quota: number) =>
    warning(
      "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
      `The ${size} characters in the resource policy exceed the ${quota} character maximum for resource policies. We recommend that you use multiple granular policies.`,
    ),
  trustSize: () =>
    warning(
      "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
      "The characters in the role trust policy, excluding whitespace, exceed the character maximum. We recommend that you request a role trust policy length quota increase using Service Quotas and AWS Support Center. If the quotas have already been increased, then you can ignore this warning.",
    ),
  typeMismatch: (allowed: string, operator: string, key: string) =>
    warning(
      "TYPE_MISMATCH",
      `Use the operator type ${allowed} instead of operator ${operator} for the condition key ${key}.`,
    ),
  notBoolean: (operator: string) =>
    warning(
      "TYPE_MISMATCH_BOOLEAN",
      `Add a valid Boolean value (true or false) for the condition operator ${operator}.`,
    ),
  notDate: () =>
    warning(
      "TYPE_MISMATCH_DATE",
      "The date condition operator is used with an invalid value. Specify a valid date using YYYY-MM-DD or other ISO 8601 date/time format.",
    ),
  notNumber: (operator: string) =>
    warning("TYPE_MISMATCH_NUMBER", `Add a valid numeric value for the condition operator ${operator}.`),
  notBase64: (operator: string) =>
    warning(
      "TYPE_MISMATCH_STRING",
      `Add a valid base64-encoded string value for the condition operator ${operator}.`,
    ),
  githubBranch: () =>
    warning(
      "SPECIFIC_GITHUB_REPO_AND_BRANCH_RECOMMENDED",
      "Using a wildcard (*) in token.actions.githubusercontent.com:sub can allow requests from more sources than you intended. Specify the value of token.actions.githubusercontent.com:sub with the repository and branch name. If the subject claim does not include the branch, specify it in a token.actions.githubusercontent.com:ref condition key.",
    ),
} as const;

/** What could be written better and allows just the same. */
export const suggestions = {
  emptyActions: () =>
    suggestion(
      "EMPTY_ARRAY_ACTION",
      "This statement includes no actions and does not affect the policy. Specify actions.",
    ),
  emptyCondition: (key: string) =>
    suggestion(
      "EMPTY_ARRAY_CONDITION",
      `There are no values for the condition key ${key} and it does not affect the policy. Specify conditions.`,
    ),
  emptyForAllValues: (key: string) =>
    suggestion(
      "EMPTY_ARRAY_CONDITION_FORALLVALUES",
      `The ForAllValues prefix with an empty condition key matches only if the key ${key} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.`,
    ),
  emptyForAnyValue: (key: string) =>
    suggestion(
      "EMPTY_ARRAY_CONDITION_FORANYVALUE",
      `The ForAnyValue prefix with an empty condition key ${key} never matches the request context and it does not affect the policy. Specify conditions.`,
    ),
  emptyIfExists: (key: string) =>
    suggestion(
      "EMPTY_ARRAY_CONDITION_IFEXISTS",
      `The IfExists suffix with an empty condition key matches only if the key ${key} is missing from the request context. To determine if the request context is empty, we recommend that you use the Null condition operator with the value of true instead.`,
    ),
  emptyPrincipalArray: () =>
    suggestion(
      "EMPTY_ARRAY_PRINCIPAL",
      "This statement includes no principals and does not affect the policy. Specify principals.",
    ),
  emptyResources: () =>
    suggestion(
      "EMPTY_ARRAY_RESOURCE",
      "This statement includes no resources and does not affect the policy. Specify resources.",
    ),
  emptyConditionObject: () =>
    suggestion(
      "EMPTY_OBJECT_CONDITION",
      "This condition block is empty and it does not affect the policy. Specify conditions.",
    ),
  emptyPrincipalObject: () =>
    suggestion(
      "EMPTY_OBJECT_PRINCIPAL",
      "This statement includes no principals and does not affect the policy. Specify principals.",
    ),
  emptySid: () => suggestion("EMPTY_SID_VALUE", "Add a value to the empty string in the Sid element."),
  ipRange: (address: string) =>
    suggestion(
      "IMPROVE_IP_RANGE",
      `The non-zero bits in the IP address after the masked bits are ignored. Replace address with ${address}.`,
    ),
  nullWithQualifier: () =>
    suggestion(
      "NULL_WITH_QUALIFIER",
      "Avoid using the Null condition operator with the ForAllValues or ForAnyValue qualifiers because they always return a true or false respectively.",
    ),
  privateIpSubset: () =>
    suggestion(
      "PRIVATE_IP_ADDRESS_SUBSET",
      "The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses will not have the desired effect. aws:SourceIp works only for public IP address ranges. To define permissions for private IP ranges, use aws:VpcSourceIp.",
    ),
  privateNotIpSubset: () =>
    suggestion(
      "PRIVATE_NOT_IP_ADDRESS_SUBSET",
      "The values for condition key aws:SourceIp include a mix of private and public IP addresses. The private addresses have no effect. aws:SourceIp works only for public IP address ranges. To define permissions for private IP ranges, use aws:VpcSourceIp.",
    ),
  redundantAction: (count: number, example: string) =>
    suggestion(
      "REDUNDANT_ACTION",
      `The ${count} action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: ${example}.`,
    ),
  redundantNumber: (operator: string, which: "greatest" | "least", key: string) =>
    suggestion(
      "REDUNDANT_CONDITION_VALUE_NUM",
      `Multiple values in ${operator} are redundant. Replace with the ${which} single value for ${key}.`,
    ),
  redundantResource: (count: number) =>
    suggestion(
      "REDUNDANT_RESOURCE",
      `The ${count} resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*)`,
    ),
  redundantStatement: () =>
    suggestion(
      "REDUNDANT_STATEMENT",
      "The statements are redundant because they provide identical permissions. Update the policy to remove the redundant statement.",
    ),
  redundantSession: (session: string, role: string) =>
    suggestion(
      "REDUNDANT_PRINCIPAL_IN_ROLE_TRUST_POLICY",
      `The assumed-role principal ${session} is redundant with its parent role ${role}. Remove the assumed-role principal.`,
    ),
  wildcardInService: () =>
    suggestion(
      "WILDCARD_IN_SERVICE_NAME",
      "Avoid using wildcards (*, ?) in the service name because it might grant unintended access to other AWS services with similar names.",
    ),
  recommendedSourceKey: (service: string, key: string) =>
    suggestion(
      "RECOMMENDED_CONDITION_KEY_FOR_SERVICE_PRINCIPAL",
      `To restrict access to the service principal ${service} operating on your behalf, we recommend aws:SourceArn, aws:SourceAccount, aws:SourceOrgID, or aws:SourceOrgPaths instead of ${key}.`,
    ),
} as const;
