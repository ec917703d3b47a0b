import type { OperationModel, StructureShape } from "../../schema/model.ts";
import { encodeEventStream, type StreamEvent } from "../event-stream/event-stream.ts";
import { memoise } from "../memo.ts";
import type { Protocol, WireResponse } from "../protocol.ts";
import { nameError, queryErrorHeader } from "./errors.ts";
import { jsonEvents } from "./events.ts";
import { parseJsonBody } from "./parse.ts";
import { JsonReaders } from "./read.ts";
import { JsonWriters } from "./write.ts";

const readers = new JsonReaders({ jsonName: false });
const writers = new JsonWriters({ jsonName: false });

const requestReader = memoise(({ input }: OperationModel) => readers.members(input.members.values()));
/** The member of an output that is a stream of events; undefined in nearly all. */
const eventsOf = memoise(({ output }: OperationModel) => {
  for (const { name, shape, traits } of output.members.values())
    if (traits.streaming && shape.kind === "union") return { name, union: shape };
  return undefined;
});
const codec = jsonEvents(writers);
const shapeWriter = memoise((shape: StructureShape) => writers.members(shape.members.values()));

/** Smithy's aws.protocols#awsJson1_0 and awsJson1_1: the operation is in X-Amz-Target, all else in a JSON document. */
function awsJson(version: "1.0" | "1.1"): Protocol {
  const contentType = `application/x-amz-json-${version}`;
  const respond = (
    status: number,
    headers: Record<string, string>,
    document: unknown,
    requestId: string,
  ): WireResponse => ({
    status,
    headers: { "content-type": contentType, ...headers, "x-amzn-requestid": requestId },
    body: JSON.stringify(document),
  });
  return {
    name: `aws-json-${version}`,

    deserialise(_service, operation, request) {
      return requestReader(operation)(parseJsonBody(request.body as Buffer), 0);
    },

    serialise(_service, operation, output, requestId) {
      const events = eventsOf(operation);
      if (events !== undefined) {
        const { name, union } = events;
        const source = (output as Readonly<Record<string, unknown>>)[name] as AsyncIterable<StreamEvent>;
        const initialResponse = { shape: operation.output, value: output, streamMember: name };
        return {
          status: 200,
          headers: { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": requestId },
          body: encodeEventStream(source, { union, codec, initialResponse }),
        };
      }
      return respond(200, {}, shapeWriter(operation.output)(output), requestId);
    },

    serialiseError(service, _operation, error, requestId) {
      const named = nameError(service, error);
      const queryError = queryErrorHeader(service, error, named);
      const members = named.shape === undefined ? named.members : shapeWriter(named.shape)(named.members);
      return respond(
        named.status,
        { ...error.headers, ...(queryError === undefined ? {} : { "x-amzn-query-error": queryError }) },
        { __type: version === "1.0" ? named.type : named.name, ...members },
        requestId,
      );
    },
  };
}

export const awsJson10: Protocol = awsJson("1.0");
export const awsJson11: Protocol = awsJson("1.1");
