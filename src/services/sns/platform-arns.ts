import { formatArn } from "#core/arn";
import type { CallContext } from "#wire/operation";
import { elementsOf, type Scope } from "./arns.ts";
import { snsErrors } from "./errors.ts";

export interface ApplicationName extends Scope {
  /** `GCM`, `APNS`, … */
  readonly platform: string;
  readonly name: string;
}

export interface EndpointName extends ApplicationName {
  readonly id: string;
}

export function applicationArn({ account, region, platform, name }: ApplicationName): string {
  return formatArn("sns", region, account, `app/${platform}/${name}`);
}

export function endpointArn({ account, region, platform, name, id }: EndpointName): string {
  return formatArn("sns", region, account, `endpoint/${platform}/${name}/${id}`);
}

/** @throws AwsError InvalidParameter (recorded: test_set_platform_application_attributes_invalid_arn) */
export function requireApplicationArn(arn: string | undefined, call: CallContext): ApplicationName {
  const [, , service, region = "", account = "", resource = ""] = elementsOf(
    arn ?? "",
    "PlatformApplicationArn",
  );
  const [kind, platform = "", name = "", ...more] = resource.split("/");
  if (service !== "sns" || kind !== "app" || name === "" || more.length > 0)
    throw snsErrors.parameter("PlatformApplicationArn");
  if (account !== call.account || region !== call.region) throw snsErrors.applicationMissing();
  return { account, region, platform, name };
}

/** @throws AwsError InvalidParameter */
export function requireEndpointArn(
  arn: string | undefined,
  call: CallContext,
  parameter = "EndpointArn",
): EndpointName {
  elementsOf(arn ?? "", parameter);
  const named = readEndpointArn(arn ?? "");
  if (named === undefined) throw snsErrors.parameter(parameter);
  if (named.account !== call.account || named.region !== call.region) throw snsErrors.endpointMissing();
  return named;
}

export function readEndpointArn(arn: string): EndpointName | undefined {
  const [prefix, , service, region = "", account = "", resource = "", ...more] = arn.split(":");
  const [kind, platform = "", name = "", id = "", ...rest] = resource.split("/");
  if (prefix !== "arn" || service !== "sns" || kind !== "endpoint" || id === "") return undefined;
  if (more.length > 0 || rest.length > 0) return undefined;
  return { account, region, platform, name, id };
}
