import type { Member, OperationModel, StructureShape } from "../../schema/model.ts";
import { nameError } from "../json/errors.ts";
import { jsonEvents } from "../json/events.ts";
import { parseJsonBody } from "../json/parse.ts";
import { JsonReaders } from "../json/read.ts";
import { JsonWriters } from "../json/write.ts";
import { memoise } from "../memo.ts";
import type { Protocol } from "../protocol.ts";
import { compileRequestReader, type BodyReaders } from "./request.ts";
import { compileResponseWriter, type BodyWriters } from "./response.ts";

const readers = new JsonReaders({ jsonName: true });
const writers = new JsonWriters({ jsonName: true });

const bodyReaders: BodyReaders = {
  document(_operation: OperationModel, members: readonly Member[]) {
    const read = readers.members(members);
    return (body) => read(parseJsonBody(body), 0);
  },
  payload(member: Member) {
    const read = readers.of(member);
    return (body) => read(parseJsonBody(body), 0);
  },
};

const bodyWriters: BodyWriters = {
  contentType: "application/json",
  emptyDocument: "{}",
  document(_shape: StructureShape, members: readonly Member[]) {
    const write = writers.members(members);
    return (output) => JSON.stringify(write(output));
  },
  payload(member: Member) {
    const write = writers.of(member);
    return (value) => JSON.stringify(write(value));
  },
  events: jsonEvents(writers),
};

const requestReader = memoise((operation: OperationModel) => compileRequestReader(operation, bodyReaders));
const outputWriter = memoise((operation: OperationModel) =>
  compileResponseWriter(operation.output, operation.http?.status ?? 200, bodyWriters),
);
const errorWriter = memoise((shape: StructureShape) => compileResponseWriter(shape, 400, bodyWriters));

/** Smithy's aws.protocols#restJson1, which lambda and xray speak. */
export const restJson: Protocol = {
  name: "rest-json",

  deserialise(_service, operation, request) {
    return requestReader(operation)(request);
  },

  serialise(_service, operation, output, requestId) {
    const response = outputWriter(operation)(output as Readonly<Record<string, unknown>>);
    response.headers["x-amzn-requestid"] = requestId;
    return response;
  },

  serialiseError(service, _operation, error, requestId) {
    const { name, shape, status, members } = nameError(service, error);
    const written =
      shape === undefined ? { headers: {}, body: JSON.stringify(members) } : errorWriter(shape)(members);
    return {
      status,
      headers: {
        "content-type": "application/json",
        ...written.headers,
        ...error.headers,
        "x-amzn-requestid": requestId,
        "x-amzn-errortype": name,
      },
      body: written.body,
    };
  },
};
