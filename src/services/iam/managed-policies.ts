/** A policy that AWS manages, as the "AWS managed policy reference" publishes it. */
export interface ManagedPolicy {
  readonly name: string;
  readonly path: string;
  /** Left out where it is not known for sure. */
  readonly id?: string;
  readonly statements: readonly object[];
}

const NETWORK_INTERFACES = [
  "ec2:CreateNetworkInterface",
  "ec2:DescribeNetworkInterfaces",
  "ec2:DescribeSubnets",
  "ec2:DeleteNetworkInterface",
  "ec2:AssignPrivateIpAddresses",
  "ec2:UnassignPrivateIpAddresses",
];

const LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

const SAMPLING = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"];

function allow(...actions: readonly string[]): object {
  return { Effect: "Allow", Action: actions.length === 1 ? actions[0] : actions, Resource: "*" };
}

export const MANAGED_POLICIES: readonly ManagedPolicy[] = [
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
    name: "AWSLambdaSQSQueueExecutionRole",
    path: "/service-role/",
    id: "ANPAJFWJZI6JNND4TSELK",
    statements: [allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", ...LOGS)],
  },
  {
    name: "AWSLambdaRole",
    path: "/service-role/",
    id: "ANPAJX4DPCRGTC4NFDUXI",
    statements: [{ Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: ["*"] }],
  },
  {
    name: "AWSXRayDaemonWriteAccess",
    path: "/",
    statements: [
      {
        Effect: "Allow",
        Action: ["xray:PutTraceSegments", "xray:PutTelemetryRecords", ...SAMPLING],
        Resource: ["*"],
      },
    ],
  },
  {
    name: "AdministratorAccess",
    path: "/",
    id: "ANPAIWMBCKSKIEE64ZLYK",
    statements: [allow("*")],
  },
];

export function managedPolicyArn(policy: ManagedPolicy): string {
  return `arn:aws:iam::aws:policy${policy.path}${policy.name}`;
}

const BY_ARN = new Map(MANAGED_POLICIES.map((policy) => [managedPolicyArn(policy), policy]));

export function findManagedPolicy(arn: string): ManagedPolicy | undefined {
  return BY_ARN.get(arn);
}

export function managedPolicyDocument(policy: ManagedPolicy): string {
  return JSON.stringify({ Version: "2012-10-17", Statement: policy.statements }, null, 4);
}
