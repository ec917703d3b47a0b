import type { Protocol } from "../protocol.ts";
import { describeError } from "../xml/describe-error.ts";
import { element, elementName, escapeXml, writeMembers, xmlns } from "../xml/write.ts";
import { wrongValue } from "./errors.ts";
import type { QueryDialect } from "./read.ts";
import { readRequest } from "./request.ts";

const dialect: QueryDialect = {
  memberName: elementName,
  listsAreFlat: false,
  wrongValue: (_, kind, text) => wrongValue(kind, text),
};

/** Smithy's shape of nothing, which the schemas give to an operation without output. */
const UNIT = "Unit";

/** awsQuery: `Action=…&Version=…&Tags.member.1.Key=…` in, XML out. IAM, STS, SNS, CloudFormation, and older SQS clients. */
export const query: Protocol = {
  name: "query",

  deserialise(_, operation, request) {
    const input = readRequest(dialect, operation.input, request);
    // Older clients of SQS post to the queue's own address instead of naming it.
    if (request.path.length > 1 && operation.input.members.has("QueueUrl"))
      input["QueueUrl"] ??= request.path;
    return input;
  },

  serialise(service, operation, output, requestId) {
    const members = writeMembers(operation.output.members.values(), output);
    // AWS leaves the result out where an operation has no output at all; clients look for it wherever there is one.
    const result = operation.output.name === UNIT ? "" : element(`${operation.name}Result`, members);
    const metadata = element("ResponseMetadata", element("RequestId", escapeXml(requestId)));
    return {
      status: 200,
      headers: { "content-type": "text/xml", "x-amzn-requestid": requestId },
      body: element(`${operation.name}Response`, result + metadata, xmlns(service.xmlNamespace)),
    };
  },

  serialiseError(service, _, error, requestId) {
    const { code, status, message, details } = describeError(service, error, "query-code");
    const body =
      element("Type", status < 500 ? "Sender" : "Receiver") +
      element("Code", escapeXml(code)) +
      element("Message", escapeXml(message)) +
      details;
    return {
      status,
      headers: { ...error.headers, "content-type": "text/xml", "x-amzn-requestid": requestId },
      body: element(
        "ErrorResponse",
        element("Error", body) + element("RequestId", escapeXml(requestId)),
        xmlns(service?.xmlNamespace),
      ),
    };
  },
};
