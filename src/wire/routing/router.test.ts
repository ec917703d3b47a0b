import { describe, expect, it } from "vitest";
import { createModels } from "../schema/load.ts";
import type { Refusal, Route, RouteRequest } from "./route.ts";
import { createRouter } from "./router.ts";

const names = [
  "lambda",
  "iam",
  "sts",
  "logs",
  "cloudwatch",
  "xray",
  "sns",
  "sqs",
  "events",
  "cloudformation",
  "ec2",
  "s3",
];
const router = createRouter(createModels(), names);

function route(request: Partial<RouteRequest>): Route | Refusal {
  return router.route({
    method: "POST",
    path: "/",
    query: "",
    headers: {},
    body: Buffer.alloc(0),
    scopeService: undefined,
    ...request,
  });
}

function found(request: Partial<RouteRequest>): string {
  const result = route(request);
  return result.kind === "route"
    ? `${result.service.name} ${result.operation.name} ${result.protocol.name}`
    : `${result.error.code} ${result.error.status} ${result.protocol.name}`;
}

const form = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };

describe("routing", () => {
  it.each([
    ["GET", "/2015-03-31/functions", "", "ListFunctions"],
    ["GET", "/2015-03-31/functions/", "", "ListFunctions"],
    ["GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3Afunction%3Af", "", "GetFunction"],
    ["POST", "/2015-03-31/functions/f/invocations", "Qualifier=1", "Invoke"],
    ["POST", "/2015-03-31/event-source-mappings/", "", "CreateEventSourceMapping"],
    ["GET", "/2018-10-31/layers", "find=LayerVersion&Arn=a", "GetLayerVersionByArn"],
    ["GET", "/2018-10-31/layers", "", "ListLayers"],
    [
      "GET",
      "/2019-09-30/functions/f/provisioned-concurrency",
      "List=ALL",
      "ListProvisionedConcurrencyConfigs",
    ],
    [
      "GET",
      "/2019-09-30/functions/f/provisioned-concurrency",
      "Qualifier=1",
      "GetProvisionedConcurrencyConfig",
    ],
  ])("takes %s %s?%s for lambda's %s", (method, path, query, operation) => {
    for (const scopeService of ["lambda", undefined])
      expect(found({ method, path, query, scopeService })).toBe(`lambda ${operation} rest-json`);
  });

  it("takes an X-Amz-Target in either version of JSON", () => {
    const headers = {
      "x-amz-target": "Logs_20140328.PutLogEvents",
      "content-type": "application/x-amz-json-1.1",
    };
    expect(found({ headers, scopeService: "logs" })).toBe("logs PutLogEvents aws-json-1.1");
    expect(found({ headers })).toBe("logs PutLogEvents aws-json-1.1");
  });

  it("tells SQS's clients of all ages apart", () => {
    const headers = { "x-amz-target": "AmazonSQS.ListQueues", "content-type": "application/x-amz-json-1.0" };
    expect(found({ headers, scopeService: "sqs" })).toBe("sqs ListQueues aws-json-1.0");
    const body = Buffer.from("Action=ListQueues&Version=2012-11-05");
    expect(found({ headers: form, body, scopeService: "sqs" })).toBe("sqs ListQueues query");
    expect(found({ headers: form, body })).toBe("sqs ListQueues query");
  });

  it("takes cloudwatch's CBOR", () => {
    expect(
      found({
        path: "/service/GraniteServiceVersion20100801/operation/ListMetrics",
        headers: { "smithy-protocol": "rpc-v2-cbor" },
        scopeService: "monitoring",
      }),
    ).toBe("cloudwatch ListMetrics rpcv2-cbor");
  });

  it("takes an action in the query string, as presigned requests have it", () => {
    const query = "Version=2011-06-15&Action=GetCallerIdentity";
    expect(found({ method: "GET", query, scopeService: "sts" })).toBe("sts GetCallerIdentity query");
  });

  it("refuses what it does not know, in the protocol of the question", () => {
    expect(found({ method: "GET", path: "/nonsense/x", scopeService: "lambda" })).toBe(
      "UnknownOperationException 404 rest-json",
    );
    expect(found({ headers: form, body: Buffer.from("Action=Nonsense"), scopeService: "iam" })).toBe(
      "InvalidAction 400 query",
    );
    expect(found({ scopeService: "iam" })).toBe("MissingAction 400 query");
    expect(found({ headers: { "x-amz-target": "Logs_20140328.Nonsense" }, scopeService: "logs" })).toBe(
      "UnknownOperationException 400 aws-json-1.1",
    );
  });

  it.each([
    ["kinesis", "POST", { "x-amz-target": "X_1.Y" }, "", "NotImplementedException 501 aws-json-1.0"],
    [
      "kinesis",
      "POST",
      { "x-amz-target": "X_1.Y", "content-type": "application/x-amz-json-1.1" },
      "",
      "NotImplementedException 501 aws-json-1.1",
    ],
    ["dynamodb", "POST", { "smithy-protocol": "rpc-v2-cbor" }, "", "NotImplementedException 501 rpcv2-cbor"],
    ["s3express", "GET", {}, "list-type=2", "NotImplemented 501 rest-xml"],
    ["route53", "GET", {}, "", "NotImplemented 501 rest-xml"],
    ["elasticloadbalancing", "POST", form, "", "NotImplemented 501 query"],
    ["rds", "GET", {}, "Version=2014-10-31&Action=DescribeDBInstances", "NotImplemented 501 query"],
    ["execute-api", "POST", {}, "", "NotImplementedException 501 rest-json"],
  ])(
    "refuses a service that is not here (%s) as its clients read it",
    (scopeService, method, headers, query, refusal) =>
      expect(found({ scopeService, method, headers, query, body: Buffer.from("Action=X") })).toBe(refusal),
  );

  it.each([
    ["s3", "DELETE", "/b", "analytics", "s3 DeleteBucketAnalyticsConfiguration rest-xml"],
    ["s3", "PUT", "/b", "inventory", "s3 PutBucketInventoryConfiguration rest-xml"],
    ["s3", "GET", "/b/k", "attributes", "s3 GetObjectAttributes rest-xml"],
    ["lambda", "DELETE", "/2017-03-31/tags/arn", "", "lambda UntagResource rest-json"],
    ["lambda", "GET", "/2018-10-31/layers", "find=LayerVersion", "lambda GetLayerVersionByArn rest-json"],
  ])(
    "takes %s's %s %s?%s for what it says, though a member is missing",
    (scopeService, method, path, query, what) => {
      expect(found({ method, path, query, scopeService })).toBe(what);
    },
  );

  it("tells S3's operations apart without the hint of recent clients", () => {
    const scopeService = "s3";
    expect(found({ method: "GET", path: "/b/k", scopeService })).toBe("s3 GetObject rest-xml");
    expect(found({ method: "GET", path: "/b/k/", query: "tagging", scopeService })).toBe(
      "s3 GetObjectTagging rest-xml",
    );
    expect(found({ method: "PUT", path: "/b/k", scopeService })).toBe("s3 PutObject rest-xml");
    expect(
      found({ method: "PUT", path: "/b/k", headers: { "x-amz-copy-source": "b/x" }, scopeService }),
    ).toBe("s3 CopyObject rest-xml");
    expect(found({ method: "PUT", path: "/b/k", query: "partNumber=1&uploadId=u", scopeService })).toBe(
      "s3 UploadPart rest-xml",
    );
    expect(found({ method: "GET", path: "/b", query: "list-type=2", scopeService })).toBe(
      "s3 ListObjectsV2 rest-xml",
    );
    expect(found({ method: "PUT", path: "/b/", scopeService })).toBe("s3 CreateBucket rest-xml");
    expect(found({ method: "GET", path: "/b", query: "analytics", scopeService })).toBe(
      "s3 ListBucketAnalyticsConfigurations rest-xml",
    );
    expect(found({ method: "POST", path: "/b/k", scopeService })).toMatch(
      /^UnknownOperation|^MethodNotAllowed/,
    );
  });
});
