import { createHash } from "node:crypto";
import { AwsError } from "#core/errors";
import type { Member, OperationModel, ServiceModel, StructureShape } from "../../schema/model.ts";
import { memoise } from "../memo.ts";
import type { Protocol, WireResponse } from "../protocol.ts";
import { compileRequestReader } from "../rest/request.ts";
import type { BodyReaders } from "../rest/request.ts";
import { compileResponseWriter } from "../rest/response.ts";
import type { BodyWriters } from "../rest/response.ts";
import { describeError } from "./describe-error.ts";
import { MalformedXml, parseXml } from "./parse.ts";
import type { XmlElement } from "./parse.ts";
import { readMembers, readValue } from "./read.ts";
import { XML_DECLARATION, element, escapeXml, writeMembers, writeStructure, xmlns } from "./write.ts";

/** The trait s3UnwrappedXmlOutput, which the client's schemas leave out: the value stands in the root element itself. */
const UNWRAPPED_OUTPUT = "GetBucketLocationOutput";

const CONTENT_TYPE = "application/xml";

/** restXml: HTTP bindings as in rest-json, XML in bodies. S3, whose errors have a form of their own. */
export const restXml: Protocol = {
  name: "rest-xml",

  deserialise(_, operation, request) {
    try {
      return requestReader(operation)(request);
    } catch (error) {
      throw asXmlError(error);
    }
  },

  serialise(service, operation, output, requestId) {
    const response = responseWriters(service)(operation)(output as Readonly<Record<string, unknown>>);
    Object.assign(response.headers, requestIdHeaders(service, requestId));
    return response;
  },

  serialiseError(service, operation, error, requestId) {
    const { code, status, message, details } = describeError(service, error, "shape-name");
    const headers = {
      ...error.headers,
      "content-type": CONTENT_TYPE,
      ...requestIdHeaders(service, requestId),
    };
    // A HEAD response has no body; clients make the error from its status.
    if (operation?.http?.method === "HEAD" || status === 304) return { status, headers, body: undefined };
    const words = element("Code", escapeXml(code)) + element("Message", escapeXml(message)) + details;
    if (isS3(service)) return { status, headers, body: s3ErrorBody(words, requestId) };
    const body = element(
      "ErrorResponse",
      element("Error", element("Type", status < 500 ? "Sender" : "Receiver") + words) +
        element("RequestId", escapeXml(requestId)),
      xmlns(service?.xmlNamespace),
    );
    return { status, headers, body: XML_DECLARATION + body };
  },
};

/** An error of S3's where no operation was asked for: of preflights and of forms that browsers post. */
export function s3ErrorResponse(error: AwsError, requestId: string): WireResponse {
  const { code, status, message, details } = describeError(undefined, error, "shape-name");
  const words = element("Code", escapeXml(code)) + element("Message", escapeXml(message)) + details;
  const headers = { ...error.headers, "content-type": CONTENT_TYPE, ...s3RequestIds(requestId) };
  return { status, headers, body: s3ErrorBody(words, requestId) };
}

/** The headers by which S3 names a request. */
export function s3RequestIds(requestId: string): Record<string, string> {
  return { "x-amz-request-id": requestId, "x-amz-id-2": hostId(requestId) };
}

function s3ErrorBody(words: string, requestId: string): string {
  const ids = element("RequestId", escapeXml(requestId)) + element("HostId", hostId(requestId));
  return XML_DECLARATION + element("Error", words + ids);
}

const bodyReaders: BodyReaders = {
  document({ input }, members) {
    const root = rootName(input);
    return (body) => (body.length === 0 ? {} : readMembers(members, rootOf(body, root)));
  },
  payload({ shape, traits }) {
    const root = traits.xmlName ?? shape.name;
    return (body) => readValue(shape, traits, rootOf(body, root));
  },
};

const requestReader = memoise((operation: OperationModel) => compileRequestReader(operation, bodyReaders));

const responseWriters = memoise((service: ServiceModel) =>
  memoise((operation: OperationModel) =>
    compileResponseWriter(
      operation.output,
      operation.http?.status ?? 200,
      bodyWriters(xmlns(service.xmlNamespace)),
    ),
  ),
);

function bodyWriters(namespace: string): BodyWriters {
  return {
    contentType: CONTENT_TYPE,
    emptyDocument: undefined,
    events: undefined,
    document(shape, members) {
      const root = rootName(shape);
      const write = shape.name === UNWRAPPED_OUTPUT ? writeUnwrapped : writeMembers;
      return (output) => XML_DECLARATION + element(root, write(members, output), namespace);
    },
    payload(member) {
      const { shape, traits } = member;
      if (shape.kind !== "structure" && shape.kind !== "union")
        throw new Error(`a payload of kind ${shape.kind} is no XML: ${member.name}`);
      const root = traits.xmlName ?? shape.name;
      return (value) => XML_DECLARATION + writeStructure(root, shape, traits, value, namespace);
    },
  };
}

function writeUnwrapped(members: Iterable<Member>, output: Readonly<Record<string, unknown>>): string {
  for (const { name } of members) {
    const value = output[name];
    if (typeof value === "string") return escapeXml(value);
  }
  return "";
}

function rootName(shape: StructureShape): string {
  return shape.traits.xmlName ?? shape.name;
}

function rootOf(body: Uint8Array, name: string): XmlElement {
  const root = parseXml(body);
  if (root.name !== name) throw new MalformedXml(`the root element is ${root.name}, not ${name}`);
  return root;
}

/** S3 tells nothing more of a broken document, nor of a header or parameter of the wrong type. */
function asXmlError(error: unknown): unknown {
  if (error instanceof MalformedXml)
    return new AwsError(
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      { status: 400, cause: error },
    );
  if (error instanceof AwsError && error.code === "SerializationException")
    return new AwsError("InvalidArgument", "Invalid Argument", { status: 400, cause: error });
  return error;
}

/** Only S3 answers errors without a wrapper (Smithy, restXml: noErrorWrapping), and has its own header names. */
function isS3(service: ServiceModel | undefined): boolean {
  return service?.name === "s3";
}

function requestIdHeaders(service: ServiceModel | undefined, requestId: string): Record<string, string> {
  return isS3(service) ? s3RequestIds(requestId) : { "x-amzn-requestid": requestId };
}

/** S3's second, opaque id. It is made from the first, so that the header and the error's body agree. */
function hostId(requestId: string): string {
  return createHash("sha384").update(requestId).digest("base64");
}
