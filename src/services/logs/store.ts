import type { LogGroupClass } from "@aws-sdk/client-cloudwatch-logs";
import { formatArn, parseArn } from "#core/arn";
import type { Document, DocumentKey, Documents } from "#storage/documents";
import { LIMITS } from "./limits.ts";
import { logsErrors } from "./errors.ts";

/** Where a call acts. */
export interface Scope {
  readonly account: string;
  readonly region: string;
}

export interface LogGroupDocument {
  readonly name: string;
  /** Epoch milliseconds. */
  readonly creationTime: number;
  readonly class: LogGroupClass;
  readonly retentionInDays?: number;
  readonly kmsKeyId?: string;
  readonly deletionProtection?: boolean;
  /** How many metric filters it has; absent where none was put since this is kept. */
  readonly metricFilters?: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** One per stream, written when it is made; what events change is derived from the journal. */
export interface LogStreamDocument {
  readonly name: string;
  readonly creationTime: number;
  /**
   * By how many milliseconds an event may be older than one that was stored before it. The journal raises the time of
   * such a late event; readers look this much further. Absent for streams that were always written in order.
   */
  readonly lateness?: number;
}

export function groupKey(scope: Scope, group: string): DocumentKey {
  return [scope.account, scope.region, "log-group", group];
}

export function streamKey(scope: Scope, group: string, stream: string): DocumentKey {
  return [scope.account, scope.region, "log-stream", group, stream];
}

/** Stored bytes of a group as of the last sweep; AWS's `storedBytes` lags in the same way. */
export function usageKey(scope: Scope, group: string): DocumentKey {
  return [scope.account, scope.region, "log-group-usage", group];
}

export function groupArn(scope: Scope, group: string): string {
  return formatArn("logs", scope.region, scope.account, `log-group:${group}`);
}

export function requireGroup(documents: Documents, scope: Scope, group: string): Document<LogGroupDocument> {
  const document = documents.get<LogGroupDocument>(groupKey(scope, group));
  if (document === undefined) throw logsErrors.groupMissing();
  return document;
}

export function requireStream(
  documents: Documents,
  scope: Scope,
  group: string,
  stream: string,
): Document<LogStreamDocument> {
  requireGroup(documents, scope, group);
  const document = documents.get<LogStreamDocument>(streamKey(scope, group, stream));
  if (document === undefined) throw logsErrors.streamMissing();
  return document;
}

/**
 * Documents under `parent` whose last key element begins with `namePrefix`, in key order, after the name `after`.
 * A name's extensions follow it without a gap, so the scan stops at the first name without the prefix.
 */
export function* withNamePrefix<T>(
  documents: Documents,
  parent: DocumentKey,
  namePrefix = "",
  after?: string,
): Generator<Document<T>> {
  if (after === undefined && namePrefix !== "") {
    const exact = documents.get<T>([...parent, namePrefix]);
    if (exact !== undefined) yield exact;
  }
  const start = after ?? namePrefix;
  const options = start === "" ? {} : { after: [...parent, start] satisfies DocumentKey as DocumentKey };
  for (const document of documents.list<T>(parent, options)) {
    if (!String(document.key.at(-1)).startsWith(namePrefix)) return;
    yield document;
  }
}

/** The group that a request names by `logGroupName` or by `logGroupIdentifier` (a name or an ARN). */
export function groupOf(
  scope: Scope,
  input: { logGroupName?: string | undefined; logGroupIdentifier?: string | undefined },
): string {
  if (input.logGroupName !== undefined && input.logGroupIdentifier !== undefined)
    throw logsErrors.nameAndIdentifier();
  if (input.logGroupName !== undefined) return input.logGroupName;
  if (input.logGroupIdentifier === undefined) throw logsErrors.noGroup();
  return groupOfIdentifier(scope, input.logGroupIdentifier);
}

/** @throws AwsError ResourceNotFoundException for the ARN of another account, region or kind of resource */
export function groupOfIdentifier(scope: Scope, identifier: string): string {
  if (!identifier.startsWith("arn:")) return identifier;
  const arn = parseArn(identifier);
  const name = /^log-group:([^:]+)(?::\*)?$/.exec(arn?.resource ?? "")?.[1];
  if (name === undefined || arn?.account !== scope.account || arn.region !== scope.region)
    throw logsErrors.groupMissing();
  return name;
}

/** Recorded: over-long names get this answer rather than the usual constraint violation. */
export function checkNameLength(...names: readonly string[]): void {
  if (names.some((name) => name.length > LIMITS.nameLength)) throw logsErrors.nameTooLong();
}
