import type { PolicyType } from "@aws-sdk/client-accessanalyzer";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allow, codes, findings, TRUST } from "../../../../test/support/validate-policy.ts";

describe("a finding", () => {
  // The form of findings, their links, paths and spans: as users of the real service published them.
  it("has AWS's words, its link, and where it stands", () => {
    const text = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [
        "sqs:SendMessage",
        "sqs:DeleteMessageBatch"
      ],
      "Resource": "*"
    }
  ]
}`;
    expect(findings(text)).toEqual([
      {
        findingType: "ERROR",
        issueCode: "INVALID_ACTION",
        findingDetails: "The action sqs:DeleteMessageBatch does not exist. Did you mean sqs:DeleteMessage?",
        learnMoreLink:
          "https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-invalid-action",
        locations: [
          {
            path: [{ value: "Statement" }, { index: 0 }, { value: "Action" }, { index: 1 }],
            span: {
              start: { line: 8, column: 8, offset: 130 },
              end: { line: 8, column: 32, offset: 154 },
            },
          },
        ],
      },
    ]);
  });

  it("tells where the JSON breaks", () => {
    expect(findings('{\n  "Version": \n}')).toMatchObject([
      {
        issueCode: "JSON_SYNTAX_ERROR",
        findingDetails: "Fix the JSON syntax error at index 16 line 3 column 0.",
      },
    ]);
  });
});

describe("good policies", () => {
  it("have no findings", () => {
    expect(
      codes([
        allow(["s3:GetObject", "s3:Put*"], ["arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::c/*"]),
        allow("s3:ListAllMyBuckets"),
        allow("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:f:*"),
        allow("sqs:*", "arn:aws:sqs:*:123456789012:queue"),
        allow("iam:PassRole", "arn:aws:iam::123456789012:role/worker", {
          Condition: { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } },
        }),
        {
          Sid: "No",
          Effect: "Deny",
          NotAction: ["iam:*"],
          NotResource: "arn:aws:iam::123456789012:user/ann",
        },
      ]),
    ).toEqual([]);
    expect(
      codes(
        { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
        "RESOURCE_POLICY",
        TRUST,
      ),
    ).toEqual([]);
    expect(codes({ Effect: "Deny", Action: "ec2:*", Resource: "*" }, "SERVICE_CONTROL_POLICY")).toEqual([]);
    expect(
      codes({ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: "*" }, "RESOURCE_CONTROL_POLICY"),
    ).toEqual([]);
  });
});

describe("structure", () => {
  it("wants what the grammar wants", () => {
    expect(findings({ Statement: allow("s3:GetObject") })).toMatchObject([
      { issueCode: "MISSING_VERSION", findingType: "WARNING", locations: [{ path: [] }] },
    ]);
    expect(findings({ Version: "2012-10-17" })).toMatchObject([{ issueCode: "MISSING_STATEMENT" }]);
    expect(findings({ Version: "2013", Statement: [] })).toMatchObject([
      { issueCode: "INVALID_VERSION" },
      { issueCode: "MISSING_STATEMENT" },
    ]);
    expect(codes({})).toEqual(["MISSING_EFFECT", "MISSING_ACTION", "MISSING_RESOURCE"]);
    expect(codes({ ...allow([], []), Effect: "allow", Extra: 1 })).toEqual([
      "INVALID_POLICY_ELEMENT",
      "INVALID_EFFECT",
      "EMPTY_ARRAY_ACTION",
      "EMPTY_ARRAY_RESOURCE",
    ]);
    expect(codes({ ...allow("s3:Get*"), NotAction: "s3:Put*" })).toEqual(["UNSUPPORTED_ELEMENT_COMBINATION"]);
  });

  it("tells what has another type than it should", () => {
    expect(findings("[]")).toMatchObject([
      { findingDetails: "The text does not match the expected JSON data type Object." },
    ]);
    expect(codes([1 as unknown as object])).toEqual(["DATA_TYPE_MISMATCH"]);
    expect(codes(allow([1], [true], { Sid: 1, Condition: 1 }))).toEqual(Array(4).fill("DATA_TYPE_MISMATCH"));
  });

  it("heeds identifiers by the type of the policy", () => {
    const twice = [allow("s3:GetObject", "*", { Sid: "A" }), allow("s3:PutObject", "*", { Sid: "A" })];
    expect(codes(twice)).toEqual(["UNIQUE_SIDS_REQUIRED"]);
    const open = twice.map((statement) => ({ ...statement, Principal: { AWS: "123456789012" } }));
    expect(codes(open, "RESOURCE_POLICY")).toEqual(["UNIQUE_SIDS_RECOMMENDED"]);
    expect(codes(allow("s3:GetObject", "*", { Sid: "" }))).toEqual(["EMPTY_SID_VALUE"]);
    expect(codes(allow("s3:GetObject", "*", { Sid: "a b" }))).toEqual(["UNSUPPORTED_SID"]);
  });

  it("counts what a policy may be long", () => {
    const many = (length: number) => Array.from({ length }, (_, index) => `arn:aws:s3:::bucket-${index}`);
    expect(codes(allow("s3:ListBucket", many(300)))).toEqual(["POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"]);
    expect(codes(allow("s3:ListBucket", many(600)), "SERVICE_CONTROL_POLICY")).toEqual([
      "POLICY_SIZE_EXCEEDS_SCP_QUOTA",
    ]);
  });
});

describe("actions", () => {
  it("must be AWS's", () => {
    const details = (action: string) => findings({ Version: "2012-10-17", Statement: allow(action) });
    expect(details("s3:ListBuckets")).toMatchObject([
      { findingDetails: "The action s3:ListBuckets does not exist. Did you mean s3:ListAllMyBuckets?" },
    ]);
    expect(details("s3:GetObjekt")).toMatchObject([
      { findingDetails: "The action s3:GetObjekt does not exist. Did you mean s3:GetObject?" },
    ]);
    expect(details("s3:Frobnicate*")).toMatchObject([
      { issueCode: "INVALID_ACTION", findingDetails: "The action s3:Frobnicate* does not exist." },
    ]);
    expect(details("lamda:InvokeFunction")).toMatchObject([
      {
        issueCode: "INVALID_SERVICE_IN_ACTION",
        findingDetails: "The service lamda specified in the action does not exist. Did you mean lambda?",
      },
    ]);
    expect(codes(allow("*code*:Get*"))).toEqual(["WILDCARD_IN_SERVICE_NAME"]);
    expect(codes(allow(["S3:GETOBJECT", "ec2:*Instances", "logs:?reate*"]))).toEqual([]);
  });

  it("are bounded by the policy's type", () => {
    expect(codes(allow("iam:*role"), "SERVICE_CONTROL_POLICY")).toEqual(["SCP_SYNTAX_ERROR_ACTION_WILDCARD"]);
    const control = { Effect: "Deny", Principal: "*", Resource: "*" };
    expect(codes({ ...control, Action: "lambda:*" }, "RESOURCE_CONTROL_POLICY")).toEqual([
      "RCP_SYNTAX_ERROR_ACTION",
    ]);
    expect(codes({ ...control, NotAction: "s3:*" }, "RESOURCE_CONTROL_POLICY")).toEqual([
      "RCP_SYNTAX_ERROR_NOTACTION",
    ]);
    const bucket = { Principal: { AWS: "123456789012" } };
    expect(
      codes(allow("sqs:SendMessage", "arn:aws:s3:::b", bucket), "RESOURCE_POLICY", "AWS::S3::Bucket"),
    ).toEqual(["UNSUPPORTED_ACTION_IN_POLICY"]);
  });
});

describe("resources", () => {
  it.each([
    ["s3:::b", "INVALID_ARN_PREFIX"],
    ["arn:aws:s3", "MISSING_ARN_FIELD"],
    ["arn:amazon:s3:::b", "INVALID_PARTITION"],
    ["arn:aws:S3:::b", "INVALID_ARN_SERVICE_CASE"],
    ["arn:aws:s33:::b", "INVALID_SERVICE"],
    ["arn:aws:*s3:::b", "WILDCARD_IN_SERVICE_NAME"],
    ["arn:aws:s3:us-east-1::b", "ARN_REGION_NOT_ALLOWED"],
    ["arn:aws:s3::123456789012:b", "ARN_ACCOUNT_NOT_ALLOWED"],
    ["arn:aws:iam:us-east-1:123456789012:role/r", "ARN_REGION_NOT_ALLOWED"],
    ["arn:aws:iam::12345:role/r", "INVALID_ARN_ACCOUNT"],
    ["arn:aws:iam::123456789012:rolle/r", "INVALID_ARN_RESOURCE"],
    ["arn:aws:lambda:nowhere:123456789012:function:f", "INVALID_ARN_REGION"],
    ["arn:aws:lambda::123456789012:function:f", "MISSING_ARN_REGION"],
    ["arn:aws:lambda:us-east-1::function:f", "MISSING_ARN_ACCOUNT"],
  ])("%s: %s", (resource, code) => {
    expect(codes({ Effect: "Deny", Action: "*", Resource: resource })).toEqual([code]);
  });

  it.each([
    "arn:aws:s3:::*",
    "arn:aws:s3:*",
    "arn:aws:s3:us-east-1:123456789012:accesspoint/a",
    "arn:aws:iam::aws:policy/ReadOnlyAccess",
    "arn:aws:iam::${aws:PrincipalAccount}:role/${aws:PrincipalTag/team}-*",
    "arn:*:ec2:*:*:instance/*",
    "arn:aws-cn:dynamodb:cn-north-1:123456789012:table/t/index/*",
    "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f:*",
  ])("%s is well", (resource) => {
    expect(codes({ Effect: "Deny", Action: "*", Resource: resource })).toEqual([]);
  });
});

describe("roles that may be passed, or made", () => {
  const role = "arn:aws:iam::123456789012:role/";
  it.each([
    [allow("iam:PassRole"), "PASS_ROLE_WITH_STAR_IN_RESOURCE"],
    [allow("iam:PassRole", `${role}*`), "PASS_ROLE_WITH_STAR_IN_RESOURCE"],
    [{ Effect: "Allow", Action: "iam:PassRole", NotResource: `${role}admin` }, "PASS_ROLE_WITH_NOT_RESOURCE"],
    [allow("iam:Pass*"), "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE"],
    [
      { Effect: "Allow", Action: "iam:Pass*", NotResource: role },
      "PASS_ROLE_WITH_STAR_IN_ACTION_AND_NOT_RESOURCE",
    ],
    [allow("iam:CreateServiceLinkedRole"), "CREATE_SLR_WITH_STAR_IN_RESOURCE"],
  ])("%j: %s", (statement, code) => {
    expect(codes(statement)).toEqual([code]);
  });

  it("are told of for everything that allows them", () => {
    expect(codes(allow("*"))).toEqual([
      "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE",
      "CREATE_SLR_WITH_STAR_IN_ACTION_AND_RESOURCE",
    ]);
    expect(codes({ Effect: "Allow", NotAction: "s3:*", Resource: "*" })).toEqual([
      "PASS_ROLE_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
      "CREATE_SLR_WITH_STAR_IN_RESOURCE_AND_NOT_ACTION",
    ]);
    expect(codes({ Effect: "Allow", NotAction: "iam:*", Resource: "*" })).toEqual([]);
    expect(codes({ Effect: "Deny", Action: "*", Resource: "*" })).toEqual([]);
    expect(codes(allow("iam:PassRole", `${role}Service*`))).toEqual([]);
    const Condition = { StringEquals: { "iam:PassedToService": "lambda.amazonaws.com" } };
    expect(codes(allow("iam:PassRole", "*", { Condition }))).toEqual([]);
  });
});

describe("what is said twice", () => {
  it("is told of, with how often", () => {
    expect(
      findings({
        Version: "2012-10-17",
        Statement: allow(["iam:Get*", "iam:List*", "iam:GetCredentialReport"]),
      }),
    ).toMatchObject([
      {
        findingDetails:
          "The 1 action(s) are redundant because they provide similar permissions. Update the policy to remove the redundant action such as: iam:GetCredentialReport.",
        locations: [{ path: [{ value: "Statement" }, { value: "Action" }, { index: 2 }] }],
      },
    ]);
    expect(codes(allow(["iam:Get*", "iam:*Report"]))).toEqual([]);
    const roles = ["jane-admin", "jane-s3only", "jane*"].map(
      (name) => `arn:aws:iam::111122223333:role/${name}`,
    );
    expect(findings({ Version: "2012-10-17", Statement: allow("iam:GetRole", roles) })).toMatchObject([
      {
        findingDetails:
          "The 2 resource ARN(s) are redundant because they reference the same resource. Review the use of wildcards (*)",
      },
    ]);
    const [one, same] = [
      allow("s3:GetObject"),
      { Resource: ["*"], Action: ["s3:GetObject"], Sid: "B", Effect: "Allow" },
    ];
    expect(codes([one, same])).toEqual(["REDUNDANT_STATEMENT"]);
  });
});

describe("documents of untrusted hands", () => {
  it("never make it fail", () => {
    const word = fc.constantFrom(
      "Version",
      "Statement",
      "Effect",
      "Action",
      "Resource",
      "Principal",
      "Condition",
      "*",
      "s3:*",
      "arn:aws:s3:::b",
      "${",
      "StringEquals",
      "aws:SourceIp",
      "",
      "Allow",
    );
    const value = fc.letrec<{ node: unknown }>((tie) => ({
      node: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        word,
        fc.constantFrom(null, 1, true),
        fc.array(tie("node"), { maxLength: 3 }),
        fc.dictionary(word, tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    const types = fc.constantFrom<PolicyType>(
      "IDENTITY_POLICY",
      "RESOURCE_POLICY",
      "SERVICE_CONTROL_POLICY",
      "RESOURCE_CONTROL_POLICY",
    );
    fc.assert(
      fc.property(value, types, fc.boolean(), (policy, type, isTrust) => {
        const resourceType = isTrust && type === "RESOURCE_POLICY" ? TRUST : undefined;
        for (const { locations = [] } of findings(JSON.stringify(policy), type, resourceType))
          for (const { span } of locations)
            expect(span?.start?.offset).toBeLessThanOrEqual(span?.end?.offset ?? -1);
      }),
    );
  });

  it("are told of up to a thousand findings, and compared so far as there is time", () => {
    const wildcards = Array.from({ length: 5000 }, (_, index) => `ec2:*${index}`);
    const found = codes(allow(wildcards));
    expect(new Set(found)).toEqual(new Set(["POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA", "INVALID_ACTION"]));
    expect(codes(Array.from({ length: 2000 }, () => ({})))).toHaveLength(1000);
    // Lists in lists, each of which says the same in another order, and a variable that never ends.
    const tower = `${'{"Statement":'.repeat(60)}[["\\"",1],["\\"",2]]${"}".repeat(60)}`;
    expect(findings(tower).length).toBeGreaterThan(0);
    expect(codes(allow("s3:GetObject", `arn:aws:s3:::${"${".repeat(30_000)}`))).toContain(
      "MISSING_BRACE_IN_VARIABLE",
    );
  });
});

it("compares no texts that were made to take long", () => {
  const resource = (length: number) => [
    `arn:aws:s3:::b/*${"a".repeat(length)}b*`,
    `arn:aws:s3:::b/${"a".repeat(2 * length)}b`,
  ];
  expect(codes(allow("s3:GetObject", resource(100)))).toContain("REDUNDANT_RESOURCE");
  expect(codes(allow("s3:GetObject", resource(15_000)))).not.toContain("REDUNDANT_RESOURCE");
});
