import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { Handler, OperationsOf } from "#wire/operation";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import { groupArn, withNamePrefix, type LogGroupDocument } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

export function listGroupOperations({ documents }: LogsDeps) {
  const ListLogGroups: Handler<Logs, "ListLogGroups"> = (input, call) => {
    const { logGroupNamePattern, logGroupClass, logGroupTags = [], limit = LIMITS.describePage } = input;
    for (const member of ["dataSources", "fieldIndexNames"] as const)
      if (input[member] !== undefined) throw logsErrors.notAvailable(member);
    const named = nameMatcher(logGroupNamePattern);
    const tagged = logGroupTags.map((filter) => tagMatcher(filter));
    const after =
      input.nextToken === undefined ? undefined : readPageToken(input.nextToken, ["string"] as const)[0];
    const parent = [call.account, call.region, "log-group"] as const;
    const page: LogGroupDocument[] = [];
    for (const { value } of withNamePrefix<LogGroupDocument>(documents, parent, undefined, after)) {
      if (!named(value.name) || (logGroupClass !== undefined && value.class !== logGroupClass)) continue;
      if (!tagged.every((matches) => matches(value.tags))) continue;
      if (page.push(value) > limit) break;
    }
    const shown = page.slice(0, limit);
    return {
      logGroups: shown.map((group) => ({
        logGroupName: group.name,
        logGroupArn: groupArn(call, group.name),
        logGroupClass: group.class,
      })),
      ...(page.length > limit ? { nextToken: writePageToken([shown.at(-1)?.name ?? ""]) } : {}),
    };
  };

  return { ListLogGroups } satisfies OperationsOf<Logs>;
}

/** Parts of names between `|`, of which `^` makes a beginning. */
function nameMatcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  const parts = pattern.split("|");
  return (name) =>
    parts.some((part) => (part.startsWith("^") ? name.startsWith(part.slice(1)) : name.includes(part)));
}

/** A tag of that key, with one of the values where any are given; `!` turns a value round, `*` stands at its ends. */
function tagMatcher({ key = "", values = [] }: client.TagFilter) {
  const tests = values.map((value) => {
    const [, not, open, text = "", close] = /^(!?)(\*?)(.*?)(\*?)$/s.exec(value) ?? [];
    const fits = (found: string): boolean => {
      if (open === "*") return close === "*" ? found.includes(text) : found.endsWith(text);
      return close === "*" ? found.startsWith(text) : found === text;
    };
    return (found: string) => fits(found) === (not !== "!");
  });
  return (tags: LogGroupDocument["tags"]): boolean => {
    const found = tags[key];
    return found !== undefined && (tests.length === 0 || tests.some((test) => test(found)));
  };
}
