import { expect, it } from "vitest";
import { grantsOf, smallestPolicy, unusedGrants } from "./least-privilege.ts";

const USED = [
  { action: "s3:GetObject", resource: "arn:aws:s3:::b/1" },
  { action: "SNS:Publish", resource: "arn:aws:sns:us-east-1:1:t" },
  { action: "s3:GetObject", resource: "arn:aws:s3:::b/2" },
  { action: "s3:PutObject", resource: "arn:aws:s3:::b/1" },
  { action: "s3:PutObject", resource: "arn:aws:s3:::b/2" },
];

it("covers what was used, and nothing else", () => {
  expect(smallestPolicy(USED)).toEqual([
    {
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject"],
      Resource: ["arn:aws:s3:::b/1", "arn:aws:s3:::b/2"],
    },
    { Effect: "Allow", Action: ["sns:Publish"], Resource: ["arn:aws:sns:us-east-1:1:t"] },
  ]);
  expect(smallestPolicy([])).toEqual([]);
});

it("tells what is granted and was never used", () => {
  const documents = new Map([
    [
      "inline",
      JSON.stringify({
        Statement: [
          { Effect: "Allow", Action: ["s3:Get*", "s3:DeleteObject"], Resource: "arn:aws:s3:::b/*" },
          { Effect: "Deny", Action: "*", Resource: "*" },
          { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::c/*" },
        ],
      }),
    ],
    ["all", JSON.stringify({ Statement: { Effect: "Allow", NotAction: "iam:*", Resource: "*" } })],
  ]);
  expect(unusedGrants(grantsOf(documents), USED)).toEqual([
    { policy: "inline", action: "s3:DeleteObject", resource: "arn:aws:s3:::b/*" },
    { policy: "inline", action: "s3:PutObject", resource: "arn:aws:s3:::c/*" },
  ]);
});
