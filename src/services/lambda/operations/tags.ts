import { parseArn } from "#core/arn";
import type { CallContext, OperationsOf } from "#wire/operation";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { parseFunctionName, type FunctionName } from "../names.ts";
import { requireTagLimit } from "../settings.ts";

type Tags = Readonly<Record<string, string>>;

/** Tags of functions. Each change gives the function a new revision id (recorded: tag_lifecycle). */
export function tagOperations(context: LambdaContext) {
  const { store, ids } = context;

  return {
    async TagResource(input, call) {
      const name = taggedFunction(call, "TagResource", input.Resource);
      await change(name, (tags) => ({ ...tags, ...input.Tags }));
      return {};
    },

    async UntagResource(input, call) {
      const name = taggedFunction(call, "UntagResource", input.Resource);
      const removed = new Set(input.TagKeys);
      await change(name, (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))),
      );
      return {};
    },

    ListTags(input, call) {
      const name = taggedFunction(call, "ListTags", input.Resource);
      return { Tags: store.requireFunction(name, name.name).value.tags };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function change(name: FunctionName, next: (tags: Tags) => Tags): Promise<void> {
    return store.updateFunction(name, (found) => {
      const tags = next(found.value.tags);
      requireTagLimit(tags);
      const value = { ...found.value, tags, revisionId: ids.uuid() };
      return { changes: [{ key: found.key, value, expected: found.revision }], result: undefined };
    });
  }
}

function taggedFunction(call: CallContext, action: string, resource: string | undefined): FunctionName {
  const arn = resource ?? "";
  if (parseArn(arn)?.resource.startsWith("function:") !== true) throw errors.tagsOnlyOnFunctions(arn);
  const name = parseFunctionName(call, action, arn);
  if (name.qualifier !== undefined) throw errors.tagsOnQualified();
  return name;
}
