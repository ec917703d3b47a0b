import { allow, type ManagedPolicy } from "./types.ts";

/** The services that are here, as actions begin. */
const SERVICES = [
  "cloudformation",
  "cloudwatch",
  "dynamodb",
  "ec2",
  "events",
  "iam",
  "kinesis",
  "lambda",
  "logs",
  "s3",
  "scheduler",
  "sns",
  "sqs",
  "sts",
  "xray",
];

/** What whole accounts are handed out with. */
export const JOB_POLICIES: readonly ManagedPolicy[] = [
  { name: "AdministratorAccess", path: "/", id: "ANPAIWMBCKSKIEE64ZLYK", statements: [allow("*")] },
  {
    name: "PowerUserAccess",
    path: "/",
    id: "ANPAJYRXTHIB4FOVS3ZXS",
    statements: [
      { Effect: "Allow", NotAction: ["iam:*", "organizations:*", "account:*"], Resource: "*" },
      allow(
        "account:GetAccountInformation",
        "account:GetPrimaryEmail",
        "account:ListRegions",
        "iam:CreateServiceLinkedRole",
        "iam:DeleteServiceLinkedRole",
        "iam:ListRoles",
        "organizations:DescribeOrganization",
      ),
    ],
  },
  {
    name: "ReadOnlyAccess",
    path: "/",
    id: "ANPAILL3HVNFSB6DCOWYQ",
    // Of AWS's list, which names each service's own, the services that are here.
    statements: [
      allow(
        ...SERVICES.flatMap((service) => [`${service}:Get*`, `${service}:List*`, `${service}:Describe*`]),
        "dynamodb:BatchGet*",
        "dynamodb:Query",
        "dynamodb:Scan",
        "iam:Generate*",
        "iam:Simulate*",
        "logs:FilterLogEvents",
        "logs:StartQuery",
        "logs:StopQuery",
        "logs:TestMetricFilter",
        "sns:Check*",
        "xray:BatchGet*",
      ),
    ],
  },
];
