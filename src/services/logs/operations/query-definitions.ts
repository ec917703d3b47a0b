import type * as client from "@aws-sdk/client-cloudwatch-logs";
import type { DocumentKey } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import type { LogsDeps } from "../deps.ts";
import { logsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Scope } from "../store.ts";
import { readPageToken, writePageToken } from "../tokens.ts";

type Logs = typeof client;

interface QueryDefinitionDocument {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly groups: readonly string[];
  /** Epoch milliseconds. */
  readonly modified: number;
}

function keyOf({ account, region }: Scope, id: string): DocumentKey {
  return [account, region, "log-query-definition", id];
}

/** Queries that are kept under a name. */
export function queryDefinitionOperations({ documents, clock, ids }: LogsDeps) {
  const PutQueryDefinition: Handler<Logs, "PutQueryDefinition"> = async (input, call) => {
    const { queryLanguage = "CWLI", parameters } = input;
    if (queryLanguage !== "CWLI") throw logsErrors.queryLanguage(queryLanguage);
    if (parameters !== undefined && parameters.length > 0) throw logsErrors.notAvailable("parameters");
    const id = input.queryDefinitionId ?? ids.uuid();
    const key = keyOf(call, id);
    await revise<QueryDefinitionDocument>(documents, key, (current) => {
      if (input.queryDefinitionId !== undefined && current === undefined)
        throw logsErrors.definitionMissing();
      const value: QueryDefinitionDocument = {
        id,
        name: input.name ?? "",
        text: input.queryString ?? "",
        groups: input.logGroupNames ?? [],
        modified: clock.now(),
      };
      return [{ key, value }];
    });
    return { queryDefinitionId: id };
  };

  const DescribeQueryDefinitions: Handler<Logs, "DescribeQueryDefinitions"> = (input, call) => {
    const { queryDefinitionNamePrefix = "", maxResults = LIMITS.describePage, nextToken } = input;
    const after = nextToken === undefined ? undefined : readPageToken(nextToken, ["string"] as const)[0];
    const options = after === undefined ? {} : { after: keyOf(call, after) };
    const page: QueryDefinitionDocument[] = [];
    const parent = [call.account, call.region, "log-query-definition"] as const;
    for (const { value } of documents.list<QueryDefinitionDocument>(parent, options)) {
      if (!value.name.startsWith(queryDefinitionNamePrefix)) continue;
      page.push(value);
      if (page.length > maxResults) break;
    }
    const shown = page.slice(0, maxResults);
    return {
      queryDefinitions: shown.map(({ id, name, text, groups, modified }) => ({
        queryLanguage: "CWLI",
        queryDefinitionId: id,
        name,
        queryString: text,
        lastModified: modified,
        ...(groups.length === 0 ? {} : { logGroupNames: [...groups] }),
      })),
      ...(page.length > maxResults ? { nextToken: writePageToken([shown.at(-1)?.id ?? ""]) } : {}),
    };
  };

  const DeleteQueryDefinition: Handler<Logs, "DeleteQueryDefinition"> = async (input, call) => {
    const key = keyOf(call, input.queryDefinitionId ?? "");
    await revise(documents, key, (current) => {
      if (current === undefined) throw logsErrors.definitionMissing();
      return [{ key, delete: true }];
    });
    return { success: true };
  };

  return {
    PutQueryDefinition,
    DescribeQueryDefinitions,
    DeleteQueryDefinition,
  } satisfies OperationsOf<Logs>;
}
