import { allow, type ManagedPolicy } from "./types.ts";

const NETWORK_INTERFACES = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

const LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

const STREAM_OF_TABLE = [
  "dynamodb:DescribeStream",
  "dynamodb:GetRecords",
  "dynamodb:GetShardIterator",
  "dynamodb:ListStreams",
];

const TRACES = {
  Effect: "Allow",
  Action: [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
  ],
  Resource: ["*"],
};

/** What execution roles of functions are given. */
export const EXECUTION_POLICIES: readonly ManagedPolicy[] = [
  {
    name: "AWSLambdaBasicExecutionRole",
    path: "/service-role/",
    id: "ANPAJNCQGXC42545SKXIK",
    statements: [allow(...LOGS)],
  },
  {
    name: "AWSLambdaVPCAccessExecutionRole",
    path: "/service-role/",
    id: "ANPAJVTME3YLVNL72YR2K",
    statements: [{ Sid: "AWSLambdaVPCAccessExecutionPermissions", ...allow(...LOGS, ...NETWORK_INTERFACES) }],
  },
  {
    name: "AWSLambdaENIManagementAccess",
    path: "/service-role/",
    statements: [allow(...NETWORK_INTERFACES)],
  },
  {
    name: "AWSLambdaSQSQueueExecutionRole",
    path: "/service-role/",
    id: "ANPAJFWJZI6JNND4TSELK",
    statements: [allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...LOGS)],
  },
  {
    name: "AWSLambdaDynamoDBExecutionRole",
    path: "/service-role/",
    statements: [allow(...STREAM_OF_TABLE, ...LOGS)],
  },
  {
    name: "AWSLambdaKinesisExecutionRole",
    path: "/service-role/",
    statements: [
      allow(
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        "kinesis:ListStreams",
        "kinesis:SubscribeToShard",
        ...LOGS,
      ),
    ],
  },
  {
    name: "AWSLambdaMSKExecutionRole",
    path: "/service-role/",
    statements: [
      allow(
        "kafka:DescribeCluster",
        "kafka:DescribeClusterV2",
        "kafka:GetBootstrapBrokers",
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpcs",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
        ...LOGS,
      ),
    ],
  },
  {
    name: "AWSLambdaRole",
    path: "/service-role/",
    id: "ANPAJX4DPCRGTC4NFDUXI",
    statements: [{ Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: ["*"] }],
  },
  {
    name: "AWSLambdaInvocation-DynamoDB",
    path: "/",
    statements: [
      { Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: ["*"] },
      { Effect: "Allow", Action: STREAM_OF_TABLE, Resource: ["*"] },
    ],
  },
  {
    name: "AWSLambdaExecute",
    path: "/",
    statements: [
      { Effect: "Allow", Action: ["logs:*"], Resource: "arn:aws:logs:*:*:*" },
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::*" },
    ],
  },
  { name: "AWSXRayDaemonWriteAccess", path: "/", statements: [TRACES] },
  { name: "AWSXrayWriteOnlyAccess", path: "/", statements: [TRACES] },
  {
    name: "CloudWatchLambdaInsightsExecutionRolePolicy",
    path: "/",
    statements: [
      { Effect: "Allow", Action: "logs:CreateLogGroup", Resource: "*" },
      {
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "arn:aws:logs:*:*:log-group:/aws/lambda-insights:*",
      },
    ],
  },
];
