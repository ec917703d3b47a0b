import type * as client from "@aws-sdk/client-accessanalyzer";
import type { AuthorisationOf, ServiceAuthorisation } from "#wire/authorisation/types";

/**
 * What Access Analyzer's operations need permission for (Service Authorization Reference, "AWS IAM Access Analyzer"): those
 * that are built work on no resource.
 */
export const analyzerAuthorisation: ServiceAuthorisation = {
  prefix: "access-analyzer",
  shownForNone: ({ account, region }) => `arn:aws:access-analyzer:${region}:${account}:*`,
  questions: {
    StartPolicyGeneration: ({ cloudTrailDetails }) => [
      { action: "access-analyzer:StartPolicyGeneration", resource: "*" },
      ...(cloudTrailDetails?.accessRole === undefined
        ? []
        : [
            {
              action: "iam:PassRole",
              resource: cloudTrailDetails.accessRole,
              keys: { "iam:passedtoservice": "access-analyzer.amazonaws.com" },
            },
          ]),
    ],
  } satisfies AuthorisationOf<typeof client>,
};
