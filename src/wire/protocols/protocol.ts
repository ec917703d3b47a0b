import type { Readable } from "node:stream";
import type { AwsError } from "#core/errors";
import type { OperationModel, ProtocolName, ServiceModel } from "../schema/model.ts";

/** An HTTP request as the listener read it. */
export interface WireRequest {
  readonly method: string;
  /** The path as it came, percent-encoding kept, without the query. */
  readonly path: string;
  /** The query string as it came, without the question mark. */
  readonly query: string;
  /** Names in lower case; repeated headers joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The whole body, or a stream where the operation's input streams. */
  readonly body: Buffer | Readable;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer | string | Readable | AsyncIterable<Uint8Array> | undefined;
}

/** One AWS protocol, generic over all services. Implementations hold no state between requests. */
export interface Protocol {
  readonly name: ProtocolName;
  /**
   * Reads an operation's input, with exact types: a wrong JSON type, a broken document or an unreadable number is an
   * AwsError SerializationException (its wording per protocol as AWS's), never a coerced value. Unknown members are ignored.
   */
  deserialise(
    service: ServiceModel,
    operation: OperationModel,
    request: WireRequest,
  ): Record<string, unknown>;
  /** `output` may lack members; `undefined` and `null` members are left out. */
  serialise(
    service: ServiceModel,
    operation: OperationModel,
    output: object,
    requestId: string,
  ): WireResponse;
  /** `operation` is undefined where routing failed. */
  serialiseError(
    service: ServiceModel | undefined,
    operation: OperationModel | undefined,
    error: AwsError,
    requestId: string,
  ): WireResponse;
}
