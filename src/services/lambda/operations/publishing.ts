import type { Change } from "#storage/documents";
import type { LambdaContext } from "../context.ts";
import type { Scope } from "../names.ts";
import { CREATING, type FunctionRecord, type PublishedRecord } from "../records.ts";
import { isSnapStarted } from "../snap-start.ts";
import { keys } from "../store.ts";

/** A new version of a function, and what must be committed for it together with `latest`. */
export interface Publication {
  readonly latest: FunctionRecord;
  readonly published: PublishedRecord;
  readonly changes: readonly Change[];
}

/**
 * Makes the next version from `$LATEST`. Of a function that is Active the version is Active at once; while `$LATEST`
 * is being created or updated it starts as Pending (recorded: publish_version, publish_with_update), and so it does
 * while its snapshot is made (developer guide, "Activating and managing Lambda SnapStart").
 */
export function publishChange(
  context: LambdaContext,
  scope: Scope,
  latest: FunctionRecord,
  description = latest.settings.description,
): Publication {
  const { ids } = context;
  const number = latest.lastVersion + 1;
  const version = String(number);
  const settled = latest.state.name === "Active" && latest.update?.name === "Successful";
  const ready = settled && !isSnapStarted({ version, settings: latest.settings });
  const published: PublishedRecord = {
    name: latest.name,
    version,
    revisionId: ids.uuid(),
    settings: { ...latest.settings, specId: ids.uuid(), description },
    lastModified: latest.lastModified,
    state: ready ? { name: "Active" } : { name: "Pending", ...CREATING },
    update: ready ? { name: "Successful" } : undefined,
    publishedFrom: latest.settings.specId,
  };
  const changes: Change[] = [
    { key: keys.version(scope, latest.name, number), value: published, expected: 0 },
  ];
  if (!ready) changes.push({ key: keys.unsettled(scope, latest.name, version), value: true });
  // Publishing gives $LATEST a new revision id, too, once it is settled (recorded: revisions_version_and_alias).
  const revisionId = settled ? ids.uuid() : latest.revisionId;
  return { latest: { ...latest, lastVersion: number, revisionId }, published, changes };
}
