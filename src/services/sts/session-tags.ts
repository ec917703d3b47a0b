import type { Tag } from "@aws-sdk/client-sts";
import type { SessionTraits } from "#core/principal";
import { stsErrors } from "./errors.ts";

export interface SessionTags {
  readonly tags: Readonly<Record<string, string>>;
  readonly transitiveTags: readonly string[];
}

/**
 * The tags of a new session: those asked for, and those that the calling session passes on (IAM user guide, "Pass
 * session tags in AWS STS").
 * @throws AwsError InvalidParameterValue
 */
export function sessionTags(
  asked: readonly Tag[] | undefined,
  transitive: readonly string[] | undefined,
  calling: SessionTraits | undefined,
): SessionTags {
  const own = (asked ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
  const names = new Set(own.map(([key]) => key.toLowerCase()));
  if (names.size < own.length) throw stsErrors.duplicateTags();
  const inherited = calling?.transitiveTags ?? [];
  if (inherited.some((key) => names.has(key.toLowerCase()))) throw stsErrors.transitiveConflict();
  if ((transitive ?? []).some((key) => !names.has(key.toLowerCase()))) throw stsErrors.transitiveNotGiven();
  return {
    tags: {
      ...Object.fromEntries(inherited.map((key) => [key, calling?.tags?.[key] ?? ""])),
      ...Object.fromEntries(own),
    },
    transitiveTags: [...inherited, ...(transitive ?? [])],
  };
}
