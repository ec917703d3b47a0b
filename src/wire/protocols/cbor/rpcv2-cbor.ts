import { nameError, queryErrorHeader } from "../json/errors.ts";
import { serializationFailure } from "../json/failures.ts";
import type { Protocol, WireResponse } from "../protocol.ts";
import { CborError, decodeCbor } from "./decode.ts";
import { encodeCbor } from "./encode.ts";
import { cborReader } from "./read.ts";
import { cborWriter } from "./write.ts";

/** Smithy RPC v2 CBOR: `POST /service/{service}/operation/{operation}` with a CBOR map each way. */
export const rpcV2Cbor: Protocol = {
  name: "rpcv2-cbor",

  deserialise(_service, operation, request) {
    return cborReader(operation.input)(decodeBody(request.body as Buffer)) as Record<string, unknown>;
  },

  serialise(_service, operation, output, requestId) {
    return respond(200, {}, cborWriter(operation.output)(output), requestId);
  },

  serialiseError(service, _operation, error, requestId) {
    const named = nameError(service, error);
    const members =
      named.shape === undefined
        ? new Map(Object.entries(named.members))
        : (cborWriter(named.shape)(named.members) as Map<string, unknown>);
    const queryError = queryErrorHeader(service, error, named);
    return respond(
      named.status,
      { ...error.headers, ...(queryError === undefined ? {} : { "x-amzn-query-error": queryError }) },
      new Map<string, unknown>([["__type", named.type], ...members]),
      requestId,
    );
  },
};

function respond(
  status: number,
  headers: Record<string, string>,
  document: unknown,
  requestId: string,
): WireResponse {
  return {
    status,
    headers: {
      ...headers,
      "smithy-protocol": "rpc-v2-cbor",
      "content-type": "application/cbor",
      "x-amzn-requestid": requestId,
    },
    body: encodeCbor(document),
  };
}

/** Operations without input may come without a body. */
function decodeBody(body: Buffer): unknown {
  if (body.length === 0) return new Map();
  try {
    return decodeCbor(body);
  } catch (error) {
    if (error instanceof CborError) throw serializationFailure();
    throw error;
  }
}
