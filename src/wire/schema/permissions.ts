import { existsSync, readFileSync } from "node:fs";

/** What AWS documents of one service's permissions (Service Authorization Reference). */
export interface ServicePermissions {
  /** Without the prefix, sorted without regard to case. */
  readonly actions: readonly string[];
  /** Types by condition key, its variable parts as `*`: `{ "s3:RequestObjectTag/*": "String" }`. Global keys are left out. */
  readonly keys: Readonly<Record<string, string>>;
  /** Resources from the service part on, variable parts as `*`: `lambda:*:*:function:*`. */
  readonly arns: readonly string[];
}

/** The table that `tools/schemas/permissions.mjs` writes. */
export interface PermissionsTable {
  /** By the prefix of their actions. */
  readonly services: Readonly<Record<string, ServicePermissions>>;
  /** The prefixes that resource control policies may name. */
  readonly resourceControl: readonly string[];
}

/** Reads the table, synchronously: 0.7 MB take about 10 ms, so keep it. */
export function loadPermissions(): PermissionsTable {
  const file = new URL("./tables/permissions.json", import.meta.url);
  if (!existsSync(file)) throw new Error('no table of permissions: run "npm run schemas"');
  // The build writes the file in this form.
  return JSON.parse(readFileSync(file, "utf8")) as PermissionsTable;
}
