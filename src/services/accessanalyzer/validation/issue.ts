import type { ValidatePolicyFindingType } from "@aws-sdk/client-accessanalyzer";

/** What is wrong with a part of a policy, in AWS's words. */
export interface Issue {
  readonly findingType: ValidatePolicyFindingType;
  readonly issueCode: string;
  readonly findingDetails: string;
}

export function issueMaker(findingType: ValidatePolicyFindingType) {
  return (issueCode: string, findingDetails: string): Issue => ({ findingType, issueCode, findingDetails });
}

const REFERENCE =
  "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html";

const SECTIONS: Readonly<Record<ValidatePolicyFindingType, string>> = {
  ERROR: "error",
  SECURITY_WARNING: "security-warning",
  SUGGESTION: "suggestion",
  WARNING: "general-warning",
};

/** Where AWS describes an issue. */
export function learnMoreLink({ findingType, issueCode }: Issue): string {
  const anchor = issueCode.toLowerCase().replaceAll("_", "-");
  return `${REFERENCE}#access-analyzer-reference-policy-checks-${SECTIONS[findingType]}-${anchor}`;
}
