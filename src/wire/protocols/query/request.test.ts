import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { createModels } from "../../schema/load.ts";
import type { OperationModel, ServiceModel } from "../../schema/model.ts";
import type { WireRequest } from "../protocol.ts";
import { query } from "./query.ts";

const models = createModels();

function operationOf(service: string, name: string): [ServiceModel, OperationModel] {
  const model = models.get(service);
  const operation = model.operations.get(name);
  if (operation === undefined) throw new Error(`${service} has no operation ${name}`);
  return [model, operation];
}

function request(body: string | Buffer, queryString = ""): WireRequest {
  return { method: "POST", path: "/", query: queryString, headers: {}, body: Buffer.from(body) };
}

function read(service: string, name: string, body: string, queryString = ""): Record<string, unknown> {
  return query.deserialise(...operationOf(service, name), request(body, queryString));
}

function refusal(service: string, name: string, body: string | Buffer): string {
  try {
    query.deserialise(...operationOf(service, name), request(body));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    expect(error.status).toBe(400);
    return `${error.code}: ${error.message}`;
  }
  return "accepted";
}

describe("reading requests", () => {
  test("structures, lists and maps", () => {
    expect(
      read(
        "iam",
        "CreateRole",
        "Action=CreateRole&Version=2010-05-08&RoleName=r+1&AssumeRolePolicyDocument=%7B%22a%22%3A1%7D&MaxSessionDuration=3600" +
          "&Tags.member.1.Key=a&Tags.member.1.Value=%C3%A9&Tags.member.2.Key=b&Tags.member.2.Value=",
      ),
    ).toEqual({
      RoleName: "r 1",
      AssumeRolePolicyDocument: '{"a":1}',
      MaxSessionDuration: 3600,
      Tags: [
        { Key: "a", Value: "é" },
        { Key: "b", Value: "" },
      ],
    });
    expect(
      read(
        "sns",
        "CreateTopic",
        "Name=t&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=x&Attributes.entry.2.key=__proto__&Attributes.entry.2.value=y",
      ),
    ).toEqual({
      Name: "t",
      Attributes: Object.fromEntries([
        ["DisplayName", "x"],
        ["__proto__", "y"],
      ]),
    });
  });

  test("SNS message attributes, whose entries have names of their own", () => {
    expect(
      read(
        "sns",
        "Publish",
        "TopicArn=arn&Message=m&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=Binary&MessageAttributes.entry.1.Value.BinaryValue=AAEC",
      ),
    ).toEqual({
      TopicArn: "arn",
      Message: "m",
      MessageAttributes: { a: { DataType: "Binary", BinaryValue: Buffer.from([0, 1, 2]) } },
    });
  });

  test("SQS as clients of before 2023 speak it", () => {
    // API reference, SendMessageBatch (query protocol example of API version 2012-11-05).
    expect(
      read(
        "sqs",
        "SendMessageBatch",
        "Action=SendMessageBatch&QueueUrl=http%3A%2F%2Fq&SendMessageBatchRequestEntry.1.Id=test_msg_001&SendMessageBatchRequestEntry.1.MessageBody=test%20message%20body%201" +
          "&SendMessageBatchRequestEntry.2.Id=test_msg_002&SendMessageBatchRequestEntry.2.MessageBody=test%20message%20body%202&SendMessageBatchRequestEntry.2.DelaySeconds=60" +
          "&SendMessageBatchRequestEntry.2.MessageAttribute.1.Name=test_attribute_name_1&SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.StringValue=test_attribute_value_1&SendMessageBatchRequestEntry.2.MessageAttribute.1.Value.DataType=String",
      ),
    ).toEqual({
      QueueUrl: "http://q",
      Entries: [
        { Id: "test_msg_001", MessageBody: "test message body 1" },
        {
          Id: "test_msg_002",
          MessageBody: "test message body 2",
          DelaySeconds: 60,
          MessageAttributes: {
            test_attribute_name_1: { StringValue: "test_attribute_value_1", DataType: "String" },
          },
        },
      ],
    });
    expect(
      read(
        "sqs",
        "CreateQueue",
        "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=k&Tag.1.Value=v",
      ),
    ).toEqual({
      QueueName: "q",
      Attributes: { DelaySeconds: "5" },
      tags: { k: "v" },
    });
    expect(read("sqs", "GetQueueAttributes", "AttributeName.1=All")).toEqual({ AttributeNames: ["All"] });
  });

  test("the first of two members that share a parameter's name", () => {
    expect(read("sqs", "ReceiveMessage", "AttributeName.1=All")).toEqual({ AttributeNames: ["All"] });
  });

  test("a sole flattened element without its index", () => {
    expect(read("sqs", "SetQueueAttributes", "Attribute.Name=VisibilityTimeout&Attribute.Value=35")).toEqual({
      Attributes: { VisibilityTimeout: "35" },
    });
    expect(read("sqs", "GetQueueAttributes", "AttributeName=All")).toEqual({ AttributeNames: ["All"] });
    expect(read("sqs", "GetQueueAttributes", "AttributeName=")).toEqual({ AttributeNames: [] });
  });

  test("CloudWatch as clients of before 2025 speak it", () => {
    expect(
      read(
        "cloudwatch",
        "PutMetricData",
        "Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Unit=Count&MetricData.member.1.Value=1.5e3&MetricData.member.1.Timestamp=2013-03-01T00%3A00%3A00Z&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=v",
      ),
    ).toEqual({
      Namespace: "n",
      MetricData: [
        {
          MetricName: "m",
          Unit: "Count",
          Value: 1500,
          Timestamp: new Date("2013-03-01T00:00:00Z"),
          Dimensions: [{ Name: "d", Value: "v" }],
        },
      ],
    });
  });

  test("parameters in the query string, and in both", () => {
    expect(read("iam", "GetRole", "", "Action=GetRole&RoleName=r&X-Amz-Signature=abc")).toEqual({
      RoleName: "r",
    });
    expect(read("iam", "GetRole", "RoleName=r", "Action=GetRole&RoleName=r")).toEqual({ RoleName: "r" });
  });

  test("indexes out of order, with gaps and absurdly large", () => {
    expect(
      read("iam", "TagRole", "Tags.member.2147483647.Key=c&Tags.member.10.Key=b&Tags.member.9.Key=a"),
    ).toEqual({ Tags: [{ Key: "a" }, { Key: "b" }, { Key: "c" }] });
  });

  test("an empty list, and unknown parameters", () => {
    expect(read("iam", "TagRole", "Tags=&Wrong.1.x=2&Tags2=1&__proto__.x=1&constructor=1")).toEqual({
      Tags: [],
    });
  });

  test.each([
    ["an index without member", "TagRole", "Tags.1.Key=a", "Top level element may not be treated as a list"],
    ["a structure for a string", "GetRole", "RoleName.a=1", "Start of list found where not expected"],
    ["a list for a string", "GetRole", "RoleName.member.1=1", "Start of list found where not expected"],
    ["a value for a list", "TagRole", "Tags=1", "Unexpected list element termination"],
    ["a value for an element", "TagRole", "Tags.member.1=1", "Unexpected complex element termination"],
    ["a word for an index", "TagRole", "Tags.member.one.Key=1", "Unexpected list element termination"],
    ["a negative index", "TagRole", "Tags.member.-1.Key=1", "Unexpected list element termination"],
    [
      "an index beyond 32 bits by far",
      "TagRole",
      `Tags.member.${"9".repeat(40)}.Key=1`,
      "Unexpected list element termination",
    ],
    ["a word for a number", "ListRoles", "MaxItems=abc", "integer must follow xsd1.1 definition"],
    ["a fraction for an integer", "ListRoles", "MaxItems=1.5", "integer must follow xsd1.1 definition"],
    ["a number beyond its type", "ListRoles", "MaxItems=2147483648", "integer must follow xsd1.1 definition"],
    [
      "an absurd number",
      "ListRoles",
      `MaxItems=${"9".repeat(100_000)}`,
      "integer must follow xsd1.1 definition",
    ],
    ["no number", "ListRoles", "MaxItems=", "missing value for integer type"],
    [
      "a capitalised boolean",
      "CreatePolicyVersion",
      "SetAsDefault=TRUE",
      "boolean must follow xsd1.1 definition",
    ],
    ["no boolean", "CreatePolicyVersion", "SetAsDefault=", "missing value for boolean type"],
    ["two values", "GetRole", "RoleName=a&RoleName=b", "Duplicate parameter RoleName"],
    ["broken percent-encoding", "GetRole", "RoleName=%zz", "Invalid percent-encoding in a parameter"],
    ["truncated percent-encoding", "GetRole", "RoleName=%e", "Invalid percent-encoding in a parameter"],
    ["encoded bytes that are no UTF-8", "GetRole", "RoleName=%ff", "Invalid percent-encoding in a parameter"],
    ["deep nesting", "GetRole", `${"a.".repeat(100_000)}=1`, "A parameter is nested too deeply"],
    ["too many parameters", "GetRole", "a&".repeat(50_001), "Too many parameters"],
    [
      "too many steps",
      "GetRole",
      Array.from({ length: 20_000 }, (_, index) => `${index}${".a".repeat(20)}`).join("&"),
      "Too many parameters",
    ],
  ])("refuses %s", (_, operation, body, message) => {
    expect(refusal("iam", operation, body)).toBe(`MalformedInput: ${message}`);
  });

  test("refuses a wrong timestamp in AWS's words, and a body that is not UTF-8", () => {
    expect(refusal("cloudwatch", "GetMetricStatistics", "StartTime=yesterday")).toBe(
      "MalformedInput: timestamp must follow ISO8601",
    );
    expect(refusal("iam", "GetRole", Buffer.from([0x61, 0x3d, 0xff]))).toBe(
      "MalformedInput: The request body is not UTF-8",
    );
  });

  test("takes time and memory in proportion to its input", () => {
    const fifty = (pair: (index: number) => string) =>
      Array.from({ length: 50_000 }, (_, index) => pair(index)).join("&");
    expect(
      read(
        "iam",
        "TagRole",
        fifty((index) => `Tags.member.${50_000 - index}.Key=k`),
      )["Tags"],
    ).toHaveLength(50_000);
    expect(
      read(
        "iam",
        "TagRole",
        fifty((index) => `${"a.".repeat(20)}${index}=1`),
      ),
    ).toEqual({});
    expect(refusal("iam", "TagRole", `Tags.member.${"1".repeat(1_000_000)}.Key=k`)).toContain(
      "MalformedInput",
    );
  });

  test("answers AwsError with 400 or reads, whatever comes", () => {
    const part = fc.constantFrom(
      "Tags",
      "member",
      "entry",
      "1",
      "2",
      "0",
      "-1",
      "Key",
      "Value",
      "Attributes",
      "key",
      "value",
      "",
      "%",
      "%41",
      "__proto__",
      "MaxItems",
      "MetricData",
      "Dimensions",
      "Timestamp",
      "Values",
    );
    const pair = fc
      .tuple(fc.array(part, { maxLength: 5 }), fc.string())
      .map(([path, value]) => `${path.join(".")}=${value}`);
    const forms = fc.oneof(
      fc.array(pair, { maxLength: 10 }).map((pairs) => pairs.join("&")),
      fc.string(),
    );
    const operations = fc.constantFrom(
      ["iam", "CreateRole"],
      ["sns", "CreateTopic"],
      ["cloudwatch", "PutMetricData"],
      ["sqs", "SetQueueAttributes"],
      ["iam", "ListRoles"],
    );
    fc.assert(
      fc.property(operations, forms, ([service = "", operation = ""], body) => {
        expect(refusal(service, operation, body)).toMatch(/^(accepted|MalformedInput: .+)$/s);
      }),
      { numRuns: 1000 },
    );
  });
});
