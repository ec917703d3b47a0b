import { describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { createModels } from "../../schema/load.ts";
import type { OperationModel, ServiceModel } from "../../schema/model.ts";
import { query } from "./query.ts";

const models = createModels();

function operationOf(service: string, name: string): [ServiceModel, OperationModel] {
  const model = models.get(service);
  const operation = model.operations.get(name);
  if (operation === undefined) throw new Error(`${service} has no operation ${name}`);
  return [model, operation];
}

function write(service: string, name: string, output: object): string {
  const response = query.serialise(...operationOf(service, name), output, "id-1");
  expect(response.status).toBe(200);
  if (typeof response.body !== "string") throw new Error("the body is not text");
  return response.body;
}

describe("writing responses", () => {
  test("a result with its metadata", () => {
    // Form as in the API reference's example of GetCallerIdentity.
    expect(
      write("sts", "GetCallerIdentity", {
        Arn: "arn:aws:iam::123456789012:user/Alice",
        UserId: "AID&",
        Account: "123456789012",
      }),
    ).toBe(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><UserId>AID&amp;</UserId><Account>123456789012</Account>' +
        "<Arn>arn:aws:iam::123456789012:user/Alice</Arn></GetCallerIdentityResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
    );
  });

  test("no result where the operation has no output, an empty one where its output is empty", () => {
    expect(write("iam", "DeleteRole", {})).toBe(
      '<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DeleteRoleResponse>',
    );
    expect(write("sns", "TagResource", {})).toContain("<TagResourceResult/>");
  });

  test("lists, maps, timestamps; undefined and null are left out", () => {
    const xml = write("iam", "ListRoles", {
      IsTruncated: false,
      Marker: undefined,
      Roles: [
        {
          RoleName: "r",
          Path: null,
          CreateDate: new Date("2026-01-02T03:04:05Z"),
          Tags: [{ Key: "a", Value: "b" }],
        },
        undefined,
      ],
    });
    expect(xml).toContain(
      "<ListRolesResult><Roles><member><RoleName>r</RoleName><CreateDate>2026-01-02T03:04:05Z</CreateDate><Tags><member><Key>a</Key><Value>b</Value></member></Tags></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult>",
    );
    expect(write("sns", "GetTopicAttributes", { Attributes: { Owner: "1" } })).toContain(
      "<Attributes><entry><key>Owner</key><value>1</value></entry></Attributes>",
    );
    expect(write("iam", "ListRoles", { Roles: [] })).toContain("<Roles/>");
  });

  test("SQS's flattened forms", () => {
    // API reference, GetQueueAttributes and ListQueues (query protocol examples).
    expect(
      write("sqs", "GetQueueAttributes", { Attributes: { VisibilityTimeout: "30", DelaySeconds: "0" } }),
    ).toContain(
      '<GetQueueAttributesResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><GetQueueAttributesResult><Attribute><Name>VisibilityTimeout</Name><Value>30</Value></Attribute><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute></GetQueueAttributesResult>',
    );
    expect(write("sqs", "ListQueues", { QueueUrls: ["a", "b"] })).toContain(
      "<QueueUrl>a</QueueUrl><QueueUrl>b</QueueUrl>",
    );
    expect(
      write("sqs", "ReceiveMessage", {
        Messages: [
          {
            MessageId: "m",
            Body: "b",
            Attributes: { SenderId: "s" },
            MessageAttributes: { k: { DataType: "Binary", BinaryValue: Uint8Array.of(1) } },
          },
        ],
      }),
    ).toContain(
      "<Message><MessageId>m</MessageId><Body>b</Body><Attribute><Name>SenderId</Name><Value>s</Value></Attribute><MessageAttribute><Name>k</Name><Value><DataType>Binary</DataType><BinaryValue>AQ==</BinaryValue></Value></MessageAttribute></Message>",
    );
  });

  test("a handler's mistake is no client's error", () => {
    expect(() => write("iam", "ListRoles", { Roles: [{ CreateDate: "today" }] })).toThrow(TypeError);
    expect(() => write("iam", "ListRoles", { Roles: {} })).toThrow(TypeError);
  });
});

describe("writing errors", () => {
  test("by the code and status of the query error trait", () => {
    const response = query.serialiseError(
      models.get("iam"),
      undefined,
      new AwsError("NoSuchEntityException", "No <role>"),
      "id-1",
    );
    expect(response.status).toBe(404);
    expect(response.headers["content-type"]).toBe("text/xml");
    expect(response.body).toBe(
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>No &lt;role&gt;</Message></Error><RequestId>id-1</RequestId></ErrorResponse>',
    );
    const missing = query.serialiseError(
      models.get("sqs"),
      undefined,
      new AwsError("QueueDoesNotExist", "m"),
      "id-1",
    );
    expect(missing.status).toBe(400);
    expect(missing.body).toContain("<Code>AWS.SimpleQueueService.NonExistentQueue</Code>");
  });

  test("by its own code and status where the schema has none", () => {
    const denied = query.serialiseError(
      undefined,
      undefined,
      new AwsError("AccessDenied", "no", { status: 403 }),
      "id-1",
    );
    expect(denied.status).toBe(403);
    expect(denied.body).toContain("<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>");
    const internal = query.serialiseError(
      models.get("iam"),
      undefined,
      new AwsError("InternalFailure", "", { status: 500 }),
      "id-1",
    );
    expect(internal.body).toContain("<Type>Receiver</Type><Code>InternalFailure</Code>");
  });
});
