import type { AwsError } from "#core/errors";
import type { Protocol, WireRequest } from "../protocols/protocol.ts";
import type { OperationModel, ServiceModel } from "../schema/model.ts";

/** What a request asks for. */
export interface Route {
  readonly kind: "route";
  readonly service: ServiceModel;
  readonly protocol: Protocol;
  readonly operation: OperationModel;
}

/** A request that asks for nothing that is here, with the protocol to say so in. */
export interface Refusal {
  readonly kind: "refusal";
  readonly service: ServiceModel | undefined;
  readonly protocol: Protocol;
  readonly error: AwsError;
}

export interface RouteRequest extends Omit<WireRequest, "body"> {
  /** Only read where `needsBody` says so. */
  readonly body: WireRequest["body"];
  /** The service of the credential scope, as the request claims it; routing trusts it no further than to choose. */
  readonly scopeService: string | undefined;
}
