import { type Family, familyOfProtocol } from "./errors.ts";
import type { AuthRequest } from "./types.ts";

const S3_SERVICES: ReadonlySet<string> = new Set(["s3", "s3express", "s3-object-lambda", "s3-outposts"]);

/** Whether a credential scope's service encodes paths once and signs `x-amz-content-sha256`. */
export function signsLikeS3(service: string): boolean {
  return S3_SERVICES.has(service);
}

/** In whose words a request's failure is told; `service` is the credential scope's, where it has a readable one. */
export function familyOf(request: AuthRequest, service: string | undefined): Family {
  if (request.protocol !== undefined) return familyOfProtocol[request.protocol];
  if (service !== undefined && signsLikeS3(service)) return "s3";
  if (service === "ec2") return "ec2";
  const { headers, path, query } = request;
  if (headers["x-amz-target"] !== undefined || headers["smithy-protocol"] !== undefined) return "target-json";
  if (/^\/\d{4}-\d\d-\d\d\//.test(path)) return "rest-json";
  const form = headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
  if (form || /(?:^|&)Action=/.test(query)) return "query";
  // Unsigned, without a target, a form or a dated path: an anonymous S3 request looks like this.
  return service === undefined ? "s3" : "rest-json";
}
