import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { createModels } from "../../schema/load.ts";
import type { OperationModel, ServiceModel } from "../../schema/model.ts";
import type { WireRequest } from "../protocol.ts";
import { restXml } from "./rest-xml.ts";

const s3 = createModels().get("s3");
/** A service of rest-xml other than S3, as CloudFront and Route 53 are. */
const other: ServiceModel = {
  ...s3,
  name: "route53",
  xmlNamespace: "https://route53.amazonaws.com/doc/2013-04-01/",
};

function operationOf(name: string): OperationModel {
  const operation = s3.operations.get(name);
  if (operation === undefined) throw new Error(`s3 has no operation ${name}`);
  return operation;
}

function read(
  name: string,
  request: Partial<WireRequest> & { xml?: string | Uint8Array },
): Record<string, unknown> {
  const { xml = "", ...rest } = request;
  return restXml.deserialise(s3, operationOf(name), {
    method: "PUT",
    path: "/b/k",
    query: "",
    headers: {},
    body: Buffer.from(xml),
    ...rest,
  });
}

function refusal(name: string, xml: string | Uint8Array): string {
  try {
    read(name, { xml });
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return `${error.status} ${error.code}: ${error.message}`;
  }
  return "accepted";
}

const MALFORMED =
  "400 MalformedXML: The XML you provided was not well-formed or did not validate against our published schema";

describe("reading requests", () => {
  test("a payload, whatever the namespace prefix, with flattened lists, and headers", () => {
    expect(
      read("DeleteObjects", {
        xml: '<?xml version="1.0" encoding="UTF-8"?>\n<s:Delete xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/">\n  <s:Object><s:Key> a&amp;b </s:Key></s:Object>\n  <s:Object><s:Key>c</s:Key><s:VersionId>v</s:VersionId></s:Object><s:Quiet> true </s:Quiet><s:New/></s:Delete>',
        headers: { "x-amz-bypass-governance-retention": "true" },
      }),
    ).toMatchObject({
      Delete: { Objects: [{ Key: " a&b " }, { Key: "c", VersionId: "v" }], Quiet: true },
      BypassGovernanceRetention: true,
    });
  });

  test("nested lists, timestamps, attributes", () => {
    expect(
      read("PutBucketLifecycleConfiguration", {
        xml: "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><And><Prefix>p</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></And></Filter><Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration></Rule></LifecycleConfiguration>",
      }),
    ).toMatchObject({
      LifecycleConfiguration: {
        Rules: [
          {
            ID: "r",
            Status: "Enabled",
            Filter: { And: { Prefix: "p", Tags: [{ Key: "a", Value: "b" }] } },
            Expiration: { Date: new Date("2030-01-01T00:00:00Z") },
          },
        ],
      },
    });
    expect(
      read("PutBucketAcl", {
        xml: '<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>i</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>',
      }),
    ).toMatchObject({
      AccessControlPolicy: { Grants: [{ Grantee: { ID: "i", Type: "CanonicalUser" }, Permission: "READ" }] },
    });
  });

  test("no payload", () => {
    expect(read("CreateBucket", {})).not.toHaveProperty("CreateBucketConfiguration");
  });

  test.each([
    ["another root", "<Remove/>"],
    ["truncated XML", "<Delete><Object>"],
    ["a document type", '<!DOCTYPE Delete [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete>&x;</Delete>'],
    ["JSON", '{"Objects":[]}'],
    ["a word for a boolean", "<Delete><Quiet>maybe</Quiet></Delete>"],
    ["a word for a number", "<Delete><Object><Key>k</Key><Size>big</Size></Object></Delete>"],
    ["a value for a structure", "<Delete><Object>k</Object></Delete>"],
    ["a structure for a value", "<Delete><Object><Key><Key/></Key></Object></Delete>"],
    ["an element twice", "<Delete><Quiet>true</Quiet><Quiet>false</Quiet></Delete>"],
  ])("refuses %s", (_, xml) => {
    expect(refusal("DeleteObjects", xml)).toBe(MALFORMED);
  });

  test("refuses a header of the wrong type", () => {
    expect(() => read("PutObject", { headers: { "content-length": "abc" } })).toThrow(
      expect.objectContaining({ code: "InvalidArgument", status: 400 }),
    );
  });

  test("answers AwsError with 400 or reads, whatever comes", () => {
    const tree = fc.letrec<{ node: string }>((tie) => ({
      node: fc.oneof(
        fc.constantFrom("", "x", "true", "1"),
        fc
          .tuple(
            fc.constantFrom("Object", "Key", "Quiet", "Size", "LastModifiedTime", "a"),
            fc.array(tie("node"), { maxLength: 3 }),
          )
          .map(([name, children]) => `<${name}>${children.join("")}</${name}>`),
      ),
    })).node;
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((inner) => Buffer.from(`<Delete>${inner}</Delete>`)),
          fc.uint8Array({ minLength: 1 }),
        ),
        (xml) => {
          expect(["accepted", MALFORMED]).toContain(refusal("DeleteObjects", xml));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("writing responses", () => {
  const write = (name: string, output: object) => restXml.serialise(s3, operationOf(name), output, "id-1");

  test("a document with its root's name and namespace", () => {
    const response = write("ListObjectsV2", {
      Name: "b",
      KeyCount: 1,
      Contents: [{ Key: "<k>", Size: 3, LastModified: new Date("2026-01-02T03:04:05.600Z"), ETag: '"e"' }],
      CommonPrefixes: [{ Prefix: "p/" }, { Prefix: "q/" }],
    });
    expect(response.status).toBe(200);
    expect(response.headers["content-type"]).toBe("application/xml");
    expect(response.headers["x-amz-request-id"]).toBe("id-1");
    expect(response.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Contents><Key>&lt;k&gt;</Key><LastModified>2026-01-02T03:04:05.600Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size></Contents>' +
        "<Name>b</Name><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>q/</Prefix></CommonPrefixes><KeyCount>1</KeyCount></ListBucketResult>",
    );
  });

  test("a payload structure, and attributes with their namespace", () => {
    expect(write("CopyObject", { CopyObjectResult: { ETag: "e" } }).body).toContain(
      '<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>e</ETag></CopyObjectResult>',
    );
    expect(
      write("GetBucketAcl", { Grants: [{ Grantee: { Type: "Group", URI: "u" }, Permission: "READ" }] }).body,
    ).toContain(
      '<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>u</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>',
    );
  });

  test("a bucket's location, the one value that stands in the root itself", () => {
    expect(write("GetBucketLocation", { LocationConstraint: "eu-west-1" }).body).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>',
    );
    expect(write("GetBucketLocation", {}).body).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"/>',
    );
  });

  test("no body where the output has none", () => {
    expect(write("DeleteObject", { DeleteMarker: true })).toMatchObject({
      status: 204,
      headers: { "x-amz-delete-marker": "true" },
      body: undefined,
    });
  });
});

describe("writing errors", () => {
  test("S3's form, with the members it adds", () => {
    const error = new AwsError("NoSuchKey", "The specified key does not exist.", { members: { Key: "a<b" } });
    const response = restXml.serialiseError(s3, operationOf("GetObject"), error, "id-1");
    expect(response.status).toBe(404);
    expect(response.body).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>The specified key does not exist.<\/Message><Key>a&lt;b<\/Key><RequestId>id-1<\/RequestId><HostId>[A-Za-z0-9+/=]{64}<\/HostId><\/Error>$/,
    );
  });

  test("no body for HEAD", () => {
    const response = restXml.serialiseError(
      s3,
      operationOf("HeadObject"),
      new AwsError("NotFound", "", { status: 404 }),
      "id-1",
    );
    expect(response).toMatchObject({ status: 404, body: undefined });
  });

  test("wrapped for any other service", () => {
    const response = restXml.serialiseError(
      other,
      undefined,
      new AwsError("Throttling", "Rate exceeded"),
      "id-1",
    );
    expect(response.body).toContain(
      '<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>id-1</RequestId></ErrorResponse>',
    );
  });
});
