import { errors } from "./errors.ts";
import type { FunctionSettings, VersionRecord } from "./records.ts";

/** Developer guide, "Improving startup performance with Lambda SnapStart": Java 11, Python 3.12, .NET 8 and later. */
const FAMILIES: readonly (readonly [family: RegExp, from: number])[] = [
  [/^java(\d+)(?:\.al\d+)?$/, 11],
  [/^python3\.(\d+)$/, 12],
  [/^dotnet(\d+)$/, 8],
];

/** Ephemeral storage is part of a snapshot only as far as it is the default size (the same page). */
const EPHEMERAL_STORAGE_MB = 512;

/**
 * The settings as they are, where SnapStart can be had with them.
 * @throws AwsError InvalidParameterValueException
 */
export function requireSnapStartable<
  Settings extends Pick<FunctionSettings, "runtime" | "ephemeralStorageMb" | "snapStart">,
>(settings: Settings): Settings {
  if (settings.snapStart !== "PublishedVersions") return settings;
  const { runtime, ephemeralStorageMb } = settings;
  // A function from an image has no runtime by name. AWS took images up later; their guests are not the platform's.
  if (runtime === "") throw errors.withoutSnapStart("ContainerImage");
  if (!FAMILIES.some(([family, from]) => Number(family.exec(runtime)?.[1]) >= from))
    throw errors.withoutSnapStart(runtime);
  if (ephemeralStorageMb > EPHEMERAL_STORAGE_MB)
    throw errors.withoutSnapStart(`EphemeralStorage greater than ${EPHEMERAL_STORAGE_MB} MB`);
  return settings;
}

/** Whether environments of this version start from a snapshot: `$LATEST` never does. */
export function isSnapStarted({
  version,
  settings,
}: Pick<VersionRecord, "version"> & { readonly settings: Pick<FunctionSettings, "snapStart"> }): boolean {
  return version !== "$LATEST" && settings.snapStart === "PublishedVersions";
}
