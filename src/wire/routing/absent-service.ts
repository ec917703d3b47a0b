import { AwsError } from "#core/errors";
import { signsLikeS3 } from "../auth/families.ts";
import { protocols } from "../protocols/registry.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { Models } from "../schema/load.ts";
import type { ServiceModel } from "../schema/model.ts";
import type { Refusal, RouteRequest } from "./route.ts";

/** Services other than S3's whose clients read XML from paths alone; they sign under these names. */
const REST_XML: ReadonlySet<string> = new Set(["cloudfront", "route53"]);

/**
 * Refuses a request that is signed for a service which is not here, in the form that its client reads: nothing but the
 * request tells what that is.
 */
export function refuseAbsent(
  models: Models,
  present: readonly string[],
  scopeService: string,
  request: Pick<RouteRequest, "method" | "query" | "headers">,
): Refusal {
  const protocol = protocolOf(scopeService, request);
  // XML clients know errors by codes, JSON clients by the names of exceptions; S3 has this very code ("Error responses").
  const xml = protocol.name === "rest-xml" || protocol.name === "query" || protocol.name === "ec2-query";
  const error = new AwsError(
    xml ? "NotImplemented" : "NotImplementedException",
    `The service ${scopeService} is not available here; this platform has ${present.join(", ")}.`,
    { status: 501 },
  );
  return { kind: "refusal", service: s3Model(models, scopeService), protocol, error };
}

function protocolOf(
  scopeService: string,
  { query, headers }: Pick<RouteRequest, "query" | "headers">,
): Protocol {
  const contentType = headers["content-type"] ?? "";
  if (headers["x-amz-target"] !== undefined)
    return protocols[contentType.startsWith("application/x-amz-json-1.1") ? "aws-json-1.1" : "aws-json-1.0"];
  if (headers["smithy-protocol"] === "rpc-v2-cbor") return protocols["rpcv2-cbor"];
  if (signsLikeS3(scopeService) || REST_XML.has(scopeService)) return protocols["rest-xml"];
  if (scopeService === "ec2") return protocols["ec2-query"];
  const form = contentType.startsWith("application/x-www-form-urlencoded");
  if (form || /(?:^|&)Action=/.test(query)) return protocols.query;
  return protocols["rest-json"];
}

/** S3 writes its errors as no other service does, so its model goes with the refusal. */
function s3Model(models: Models, scopeService: string): ServiceModel | undefined {
  const known = signsLikeS3(scopeService) && models.index.some(({ name }) => name === "s3");
  return known ? models.get("s3") : undefined;
}
