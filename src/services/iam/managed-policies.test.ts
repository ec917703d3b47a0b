import { expect, it } from "vitest";
import { parsePolicy } from "#policy/grammar";
import { findManagedPolicy, managedPolicyDocument } from "./managed-policies.ts";

it.each([
  // What AWS SAM and the consoles attach to functions' roles, by what they read from and whether they are traced.
  "service-role/AWSLambdaBasicExecutionRole",
  "service-role/AWSLambdaVPCAccessExecutionRole",
  "service-role/AWSLambdaSQSQueueExecutionRole",
  "service-role/AWSLambdaDynamoDBExecutionRole",
  "service-role/AWSLambdaKinesisExecutionRole",
  "service-role/AWSLambdaMSKExecutionRole",
  "service-role/AWSLambdaRole",
  "AWSXRayDaemonWriteAccess",
  "AWSXrayWriteOnlyAccess",
  "CloudWatchLambdaInsightsExecutionRolePolicy",
  "AWSLambda_FullAccess",
  "AWSLambda_ReadOnlyAccess",
  "AdministratorAccess",
  "PowerUserAccess",
  "ReadOnlyAccess",
])("AWS's own policy %s is there, and well-formed", (name) => {
  const policy = findManagedPolicy(`arn:aws:iam::aws:policy/${name}`);
  expect(policy).toBeDefined();
  if (policy !== undefined) parsePolicy(managedPolicyDocument(policy), "identity");
});
