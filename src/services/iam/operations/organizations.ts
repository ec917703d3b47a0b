import type * as client from "@aws-sdk/client-iam";
import type { OperationsOf } from "#wire/operation";
import { iamErrors } from "../errors.ts";

type Iam = typeof client;

/** What AWS answers an account that belongs to no organization, as none here does. */
export function organizationOperations() {
  const noOrganization = (): never => {
    throw iamErrors.noOrganization();
  };
  return {
    EnableOrganizationsRootCredentialsManagement: noOrganization,
    DisableOrganizationsRootCredentialsManagement: noOrganization,
    EnableOrganizationsRootSessions: noOrganization,
    DisableOrganizationsRootSessions: noOrganization,
    ListOrganizationsFeatures: noOrganization,
    GenerateOrganizationsAccessReport: noOrganization,
    GetOrganizationsAccessReport: (input) => {
      throw iamErrors.jobMissing(input.JobId ?? "");
    },
  } satisfies OperationsOf<Iam>;
}
