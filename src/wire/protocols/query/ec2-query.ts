import type { Protocol } from "../protocol.ts";
import type { Member } from "../../schema/model.ts";
import { describeError } from "../xml/describe-error.ts";
import { XML_DECLARATION, element, elementName, escapeXml, writeMembers, xmlns } from "../xml/write.ts";
import { invalidParameterValue } from "./errors.ts";
import type { QueryDialect } from "./read.ts";
import { readRequest } from "./request.ts";

const dialect: QueryDialect = {
  memberName: parameterName,
  listsAreFlat: true,
  wrongValue: invalidParameterValue,
};

/** Smithy's shape of nothing, which the schemas give to an operation without output. */
const UNIT = "Unit";

const CONTENT_TYPE = "text/xml;charset=UTF-8";

/** ec2Query: awsQuery with capitalised names, flat lists, and responses and errors of EC2's own form. */
export const ec2Query: Protocol = {
  name: "ec2-query",

  deserialise: (_, operation, request) => readRequest(dialect, operation.input, request),

  serialise(service, operation, output, requestId) {
    const members = writeMembers(operation.output.members.values(), output);
    // "return: Is true if the request succeeds" (API reference, DeleteVpc and every other operation without output).
    const content = operation.output.name === UNIT ? element("return", "true") : members;
    return {
      status: 200,
      headers: { "content-type": CONTENT_TYPE, "x-amzn-requestid": requestId },
      body:
        XML_DECLARATION +
        element(
          `${operation.name}Response`,
          element("requestId", escapeXml(requestId)) + content,
          xmlns(service.xmlNamespace),
        ),
    };
  },

  serialiseError(service, _, error, requestId) {
    const { code, status, message, details } = describeError(service, error, "query-code");
    const body = element("Code", escapeXml(code)) + element("Message", escapeXml(message)) + details;
    return {
      status,
      headers: { ...error.headers, "content-type": CONTENT_TYPE, "x-amzn-requestid": requestId },
      body:
        XML_DECLARATION +
        element(
          "Response",
          element("Errors", element("Error", body)) + element("RequestID", escapeXml(requestId)),
        ),
    };
  },
};

function parameterName(member: Member): string {
  if (member.traits.ec2QueryName !== undefined) return member.traits.ec2QueryName;
  const name = elementName(member);
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
