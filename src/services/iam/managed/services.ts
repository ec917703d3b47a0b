import { allow, type ManagedPolicy } from "./types.ts";

const LOGS_READING = [
  "logs:Describe*",
  "logs:Get*",
  "logs:List*",
  "logs:StartQuery",
  "logs:StopQuery",
  "logs:TestMetricFilter",
  "logs:FilterLogEvents",
];

/** What CloudWatch's console looks up. */
const CLOUDWATCH_CONSOLE = ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "oam:ListSinks"];

/** What Lambda's console looks up. */
const LAMBDA_CONSOLE = [
  "cloudformation:DescribeStacks",
  "cloudformation:ListStackResources",
  "cloudwatch:ListMetrics",
  "cloudwatch:GetMetricData",
  "ec2:DescribeSecurityGroups",
  "ec2:DescribeSubnets",
  "ec2:DescribeVpcs",
  "kms:ListAliases",
  "iam:GetPolicy",
  "iam:GetPolicyVersion",
  "iam:GetRole",
  "iam:GetRolePolicy",
  "iam:ListAttachedRolePolicies",
  "iam:ListRolePolicies",
  "iam:ListRoles",
  "logs:DescribeLogGroups",
  "states:DescribeStateMachine",
  "states:ListStateMachines",
  "tag:GetResources",
  "xray:GetTraceSummaries",
  "xray:BatchGetTraces",
];

/** Reading what functions log, and more of it. */
function logsOfFunctions(...more: readonly string[]): object {
  return {
    Effect: "Allow",
    Action: ["logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", ...more],
    Resource: "arn:aws:logs:*:*:log-group:/aws/lambda/*",
  };
}

const LAMBDA_LINKED_ROLE = {
  Effect: "Allow",
  Action: "iam:CreateServiceLinkedRole",
  Resource: "arn:aws:iam::*:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda",
  Condition: { StringEquals: { "iam:AWSServiceName": "lambda.amazonaws.com" } },
};

/** Full and reading access to one service. Where AWS's own goes on with services that are not here, these are left out. */
export const SERVICE_POLICIES: readonly ManagedPolicy[] = [
  { id: "ANPAIFIR6V6BVTRAHWINE", ...allowing("AmazonS3FullAccess", "s3:*", "s3-object-lambda:*") },
  {
    id: "ANPAIZTJ4DXE7G6AGAE6M",
    ...allowing(
      "AmazonS3ReadOnlyAccess",
      "s3:Get*",
      "s3:List*",
      "s3:Describe*",
      "s3-object-lambda:Get*",
      "s3-object-lambda:List*",
    ),
  },
  allowing("AmazonSQSFullAccess", "sqs:*"),
  allowing(
    "AmazonSQSReadOnlyAccess",
    "sqs:GetQueueAttributes",
    "sqs:GetQueueUrl",
    "sqs:ListDeadLetterSourceQueues",
    "sqs:ListQueues",
    "sqs:ListMessageMoveTasks",
    "sqs:ListQueueTags",
  ),
  allowing("AmazonSNSFullAccess", "sns:*"),
  allowing(
    "AmazonSNSReadOnlyAccess",
    "sns:GetTopicAttributes",
    "sns:List*",
    "sns:CheckIfPhoneNumberIsOptedOut",
    "sns:GetEndpointAttributes",
    "sns:GetDataProtectionPolicy",
    "sns:GetPlatformApplicationAttributes",
    "sns:GetSMSAttributes",
    "sns:GetSMSSandboxAccountStatus",
    "sns:GetSubscriptionAttributes",
  ),
  allowing("AmazonDynamoDBFullAccess", "dynamodb:*", "dax:*"),
  allowing(
    "AmazonDynamoDBReadOnlyAccess",
    "dynamodb:BatchGetItem",
    "dynamodb:Describe*",
    "dynamodb:Get*",
    "dynamodb:List*",
    "dynamodb:PartiQLSelect",
    "dynamodb:Query",
    "dynamodb:Scan",
  ),
  allowing("AmazonKinesisFullAccess", "kinesis:*"),
  allowing("AmazonKinesisReadOnlyAccess", "kinesis:Get*", "kinesis:List*", "kinesis:Describe*"),
  allowing(
    "CloudWatchFullAccess",
    "autoscaling:Describe*",
    "cloudwatch:*",
    "logs:*",
    "sns:*",
    ...CLOUDWATCH_CONSOLE,
  ),
  allowing(
    "CloudWatchFullAccessV2",
    "application-autoscaling:DescribeScalingPolicies",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribePolicies",
    "cloudwatch:*",
    "logs:*",
    "sns:CreateTopic",
    "sns:ListSubscriptions",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTopics",
    "sns:Subscribe",
    ...CLOUDWATCH_CONSOLE,
  ),
  allowing(
    "CloudWatchReadOnlyAccess",
    "autoscaling:Describe*",
    "cloudwatch:Describe*",
    "cloudwatch:Get*",
    "cloudwatch:List*",
    ...LOGS_READING,
    "sns:Get*",
    "sns:List*",
  ),
  allowing("CloudWatchLogsFullAccess", "logs:*", "cloudwatch:GenerateQuery"),
  allowing(
    "CloudWatchLogsReadOnlyAccess",
    ...LOGS_READING,
    "logs:StartLiveTail",
    "logs:StopLiveTail",
    "cloudwatch:GenerateQuery",
  ),
  {
    name: "AWSLambda_FullAccess",
    path: "/",
    statements: [
      allow(...LAMBDA_CONSOLE, "kms:DescribeKey", "lambda:*"),
      passRole("*", "StringEquals", "lambda.amazonaws.com"),
      logsOfFunctions("logs:StartLiveTail", "logs:StopLiveTail"),
      LAMBDA_LINKED_ROLE,
    ],
  },
  {
    name: "AWSLambda_ReadOnlyAccess",
    path: "/",
    statements: [
      allow(...LAMBDA_CONSOLE, "cloudformation:ListStacks", "lambda:Get*", "lambda:List*"),
      logsOfFunctions(
        "logs:StartQuery",
        "logs:StopQuery",
        "logs:DescribeQueries",
        "logs:GetLogGroupFields",
        "logs:GetLogRecord",
        "logs:GetQueryResults",
      ),
    ],
  },
  allowing("AWSXrayFullAccess", "xray:*"),
  allowing("AWSXrayReadOnlyAccess", "xray:BatchGet*", "xray:Get*", "xray:List*"),
  {
    name: "AmazonEventBridgeFullAccess",
    path: "/",
    statements: [
      allow("events:*", "schemas:*", "scheduler:*", "pipes:*"),
      {
        Sid: "IAMPassRoleAccessForEventBridge",
        ...passRole("arn:aws:iam::*:role/*", "StringLike", "events.amazonaws.com"),
      },
    ],
  },
  allowing("IAMFullAccess", "iam:*", "organizations:DescribeAccount"),
  allowing(
    "IAMReadOnlyAccess",
    "iam:GenerateCredentialReport",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:Get*",
    "iam:List*",
    "iam:SimulateCustomPolicy",
    "iam:SimulatePrincipalPolicy",
  ),
];

/** A policy of one statement. */
function allowing(name: string, ...actions: readonly string[]): ManagedPolicy {
  return { name, path: "/", statements: [allow(...actions)] };
}

/** To hand roles to one service. */
function passRole(Resource: string, operator: string, service: string): object {
  const Condition = { [operator]: { "iam:PassedToService": service } };
  return { Effect: "Allow", Action: "iam:PassRole", Resource, Condition };
}
