import { describe, expect, test } from "vitest";
import { AwsError } from "#core/errors";
import { createModels } from "../../schema/load.ts";
import type { OperationModel } from "../../schema/model.ts";
import { ec2Query } from "./ec2-query.ts";

const ec2 = createModels().get("ec2");

function operationOf(name: string): OperationModel {
  const operation = ec2.operations.get(name);
  if (operation === undefined) throw new Error(`ec2 has no operation ${name}`);
  return operation;
}

function read(name: string, body: string): Record<string, unknown> {
  return ec2Query.deserialise(ec2, operationOf(name), {
    method: "POST",
    path: "/",
    query: "",
    headers: {},
    body: Buffer.from(body),
  });
}

const write = (name: string, output: object) => ec2Query.serialise(ec2, operationOf(name), output, "id-1");

describe("ec2-query", () => {
  test("reads flat lists by EC2's names", () => {
    expect(
      read(
        "DescribeVpcs",
        "Action=DescribeVpcs&Filter.1.Name=state&Filter.1.Value.1=a&Filter.1.Value.2=b&VpcId.1=vpc-1&DryRun=false&MaxResults=5",
      ),
    ).toEqual({
      Filters: [{ Name: "state", Values: ["a", "b"] }],
      VpcIds: ["vpc-1"],
      DryRun: false,
      MaxResults: 5,
    });
  });

  test("reads nested structures", () => {
    expect(
      read(
        "AuthorizeSecurityGroupIngress",
        "GroupId=sg-1&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=-1&IpPermissions.1.IpRanges.1.CidrIp=10.0.0.0%2F8&TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=k",
      ),
    ).toEqual({
      GroupId: "sg-1",
      IpPermissions: [{ IpProtocol: "tcp", FromPort: 80, ToPort: -1, IpRanges: [{ CidrIp: "10.0.0.0/8" }] }],
      TagSpecifications: [{ ResourceType: "security-group-rule", Tags: [{ Key: "k" }] }],
    });
  });

  test("refuses a wrong value in EC2's words", () => {
    expect(() => read("DescribeVpcs", "MaxResults=many")).toThrow(
      new AwsError(
        "InvalidParameterValue",
        "Value (many) for parameter maxResults is invalid. Expecting a value of type integer.",
      ),
    );
  });

  test("writes a response without a result wrapper", () => {
    const response = write("DescribeVpcs", {
      Vpcs: [{ VpcId: "vpc-1", IsDefault: true, Tags: [{ Key: "a", Value: "b" }] }],
    });
    expect(response.headers["content-type"]).toBe("text/xml;charset=UTF-8");
    expect(response.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15"><requestId>id-1</requestId><vpcSet><item>' +
        "<isDefault>true</isDefault><tagSet><item><key>a</key><value>b</value></item></tagSet><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>",
    );
  });

  test("writes return where there is no output", () => {
    expect(write("DeleteVpc", {}).body).toContain(
      "<requestId>id-1</requestId><return>true</return></DeleteVpcResponse>",
    );
  });

  test("writes an error", () => {
    const error = new AwsError("InvalidVpcID.NotFound", "The vpc ID 'vpc-0' does not exist");
    const response = ec2Query.serialiseError(ec2, undefined, error, "id-1");
    expect(response.status).toBe(400);
    expect(response.body).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>The vpc ID &apos;vpc-0&apos; does not exist</Message></Error></Errors><RequestID>id-1</RequestID></Response>',
    );
  });
});
