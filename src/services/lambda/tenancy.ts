import type { FunctionSpec } from "#engine/contract";
import { errors } from "./errors.ts";
import type { FunctionSettings } from "./records.ts";

/**
 * The settings as they are, where they go together: functions that isolate tenants have no SnapStart (AWS Lambda Developer
 * Guide, "Tenant isolation").
 * @throws AwsError InvalidParameterValueException
 */
export function requireTenancyFits<Settings extends Pick<FunctionSettings, "tenancy" | "snapStart">>(
  settings: Settings,
): Settings {
  if (settings.tenancy !== undefined && settings.snapStart === "PublishedVersions")
    throw errors.notWithTenancy("SnapStart");
  return settings;
}

/** @throws AwsError InvalidParameterValueException where a tenant is named, or not, against the function's configuration */
export function requireTenant({ tenancy }: FunctionSpec, tenantId: string | undefined): void {
  if (tenancy === undefined && tenantId !== undefined) throw errors.tenantIdNotAllowed();
  if (tenancy !== undefined && tenantId === undefined) throw errors.tenantIdRequired();
}
