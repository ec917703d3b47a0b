import type { OperationsOf } from "#wire/operation";
import { describeFunction, describeInList } from "../configuration.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { parseUnqualifiedName } from "../names.ts";
import { pageSize, readMarker, takePage, writeMarker } from "../pages.ts";
import { keys } from "../store.ts";
import { publishChange } from "./publishing.ts";
import { requireUpdatable } from "./updates.ts";

/** Publishing versions and listing them. */
export function versionOperations(context: LambdaContext) {
  const { store, lifecycle } = context;

  return {
    async PublishVersion(input, call) {
      const name = parseUnqualifiedName(call, "PublishVersion", input.FunctionName);
      if (input.PublishTo !== undefined) throw errors.notAvailable("PublishTo");
      const published = await store.updateFunction(name, (found) => {
        const latest = found.value;
        requireUpdatable(latest, input.RevisionId, name);
        if (latest.state.name === "Failed") throw errors.functionInState("Failed");
        const { sha256 } = latest.settings.code;
        if (input.CodeSha256 !== undefined && input.CodeSha256 !== sha256)
          throw errors.codeShaMismatch(input.CodeSha256, sha256);
        const last = [...store.versions(name, name.name, { reverse: true, limit: 1 })][0]?.value;
        if (last?.publishedFrom === latest.settings.specId) return { changes: [], result: last };
        const publication = publishChange(context, name, latest, input.Description);
        return {
          changes: [
            { key: found.key, value: publication.latest, expected: found.revision },
            ...publication.changes,
          ],
          result: publication.published,
        };
      });
      if (published.state.name === "Pending") lifecycle.settleLater(name, name.name, published.version);
      return describeFunction(name, published, published.version);
    },

    ListVersionsByFunction(input, call) {
      const name = parseUnqualifiedName(call, "ListVersionsByFunction", input.FunctionName);
      const latest = store.requireFunction(name, name.name).value;
      const size = pageSize(input.MaxItems);
      const after = readMarker<[number]>(input.Marker, ["number"]);
      const room = after === undefined ? size - 1 : size;
      const { page, more } = takePage(
        store.versions(name, name.name, {
          limit: room + 1,
          ...(after === undefined ? {} : { after: keys.version(name, name.name, after[0]) }),
        }),
        room,
      );
      const records = page.map(({ value }) => value);
      const versions = after === undefined ? [latest, ...records] : records;
      const last = versions.at(-1);
      return {
        Versions: versions.map((record) => describeInList(name, record, record.version)),
        ...(more && last !== undefined ? { NextMarker: writeMarker([Number(last.version) || 0]) } : {}),
      };
    },
  } satisfies OperationsOf<LambdaClientModule>;
}
