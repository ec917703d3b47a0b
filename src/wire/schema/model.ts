/**
 * A service as the official schemas describe it, as an object graph that protocols walk. `load.ts` builds it from the
 * compact table that `tools/schemas/` generates; shapes are shared and may be cyclic, so never copy or stringify them.
 */
export interface ServiceModel {
  /** botocore's folder name: `lambda`, `logs`, `monitoring` is named `cloudwatch`. */
  readonly name: string;
  /** The credential scope's service: `lambda`, `logs`, `monitoring`. */
  readonly signingName: string;
  readonly apiVersion: string;
  /** The prefix of X-Amz-Target (`Logs_20140328`) and of CBOR paths; also the service shape's name. */
  readonly targetPrefix: string;
  readonly xmlNamespace: string | undefined;
  /** All protocols that clients speak to it, the current client's first. */
  readonly protocols: readonly ProtocolName[];
  readonly operations: ReadonlyMap<string, OperationModel>;
  /** Error shapes by shape name, and by query code where that differs. */
  readonly errors: ReadonlyMap<string, StructureShape>;
}

export type ProtocolName =
  | "rest-json"
  | "rest-xml"
  | "aws-json-1.0"
  | "aws-json-1.1"
  | "query"
  | "ec2-query"
  | "rpcv2-cbor";

export interface OperationModel {
  readonly name: string;
  /** Only for REST services. `uri` is Smithy's template, such as `/2015-03-31/functions/{FunctionName}?list`. */
  readonly http: { readonly method: string; readonly uri: string; readonly status: number } | undefined;
  readonly input: StructureShape;
  readonly output: StructureShape;
}

export type SimpleKind =
  | "string"
  | "boolean"
  | "byte"
  | "short"
  | "integer"
  | "long"
  | "float"
  | "double"
  | "bigInteger"
  | "bigDecimal"
  | "blob"
  | "timestamp"
  | "document";

export interface SimpleShape {
  readonly kind: SimpleKind;
  readonly name: string;
  readonly traits: Traits;
}

export interface ListShape {
  readonly kind: "list";
  readonly name: string;
  readonly member: Member;
  readonly traits: Traits;
}

export interface MapShape {
  readonly kind: "map";
  readonly name: string;
  readonly key: Member;
  readonly value: Member;
  readonly traits: Traits;
}

export interface StructureShape {
  readonly kind: "structure" | "union";
  readonly name: string;
  /** By member name, in the schema's order. */
  readonly members: ReadonlyMap<string, Member>;
  readonly traits: Traits;
}

export type Shape = SimpleShape | ListShape | MapShape | StructureShape;

export interface Member {
  /** The member's name in the official client's types; `member`, `key`, `value` in lists and maps. */
  readonly name: string;
  readonly shape: Shape;
  /** The member's traits over those of its shape. */
  readonly traits: Traits;
  readonly required: boolean;
  readonly constraints: Constraints | undefined;
}

/** The Smithy traits that protocols need, named as in Smithy. */
export interface Traits {
  readonly httpLabel?: true;
  readonly httpHeader?: string;
  readonly httpPrefixHeaders?: string;
  readonly httpQuery?: string;
  readonly httpQueryParams?: true;
  readonly httpPayload?: true;
  readonly httpResponseCode?: true;
  readonly jsonName?: string;
  readonly xmlName?: string;
  readonly xmlFlattened?: true;
  readonly xmlAttribute?: true;
  /** [prefix, uri]; an empty prefix is the default namespace. */
  readonly xmlNamespace?: readonly [prefix: string, uri: string];
  readonly ec2QueryName?: string;
  readonly timestampFormat?: "date-time" | "http-date" | "epoch-seconds";
  readonly mediaType?: string;
  readonly streaming?: true;
  readonly sparse?: true;
  readonly idempotencyToken?: true;
  readonly sensitive?: true;
  readonly eventHeader?: true;
  readonly eventPayload?: true;
  readonly error?: "client" | "server";
  readonly httpError?: number;
  /** [code, HTTP status] of the awsQueryError trait. */
  readonly awsQueryError?: readonly [code: string, status: number];
}

/** Facts from the official service models that the schemas lack (`constraints/<service>.json`). */
export interface Constraints {
  /** Length of strings and blobs, number of entries, or value of numbers. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** For the elements of a list, or keys and values of a map. */
  readonly member?: Constraints;
  readonly key?: Constraints;
  readonly value?: Constraints;
  /** A list's elements may be null; AWS's messages then do not say that they must not. */
  readonly nullable?: true;
}
