import { parseArn } from "#core/arn";
import type { Document } from "#storage/documents";
import type { CallContext, OperationsOf } from "#wire/operation";
import { findCodeSigningConfig } from "../code-signing.ts";
import type { LambdaClientModule, LambdaContext } from "../context.ts";
import { errors } from "../errors.ts";
import { functionArn, parseFunctionName } from "../names.ts";
import type { EventSourceMappingRecord } from "../records.ts";
import { addTags } from "../settings.ts";
import { commitDecision, keys } from "../store.ts";

type Tags = Readonly<Record<string, string>>;

interface Tagged {
  readonly tags: Tags;
}

/** Tags of functions, event source mappings and code signing configurations. */
export function tagOperations(context: LambdaContext) {
  const { store, ids } = context;

  return {
    async TagResource(input, call) {
      await change(call, "TagResource", input.Resource, (tags) => addTags(tags, input.Tags));
      return {};
    },

    async UntagResource(input, call) {
      const removed = new Set(input.TagKeys);
      await change(call, "UntagResource", input.Resource, (tags) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))),
      );
      return {};
    },

    ListTags(input, call) {
      return { Tags: find(call, "ListTags", input.Resource).value.tags };
    },
  } satisfies OperationsOf<LambdaClientModule>;

  function change(
    call: CallContext,
    action: string,
    arn: string | undefined,
    next: (tags: Tags) => Tags,
  ): Promise<void> {
    return commitDecision(store.documents, () => {
      const found = find(call, action, arn);
      const tags = next(found.value.tags);
      // Each change of its tags gives a function a new revision id (recorded: tag_lifecycle).
      const revision = "revisionId" in found.value ? { revisionId: ids.uuid() } : {};
      const value = { ...found.value, ...revision, tags };
      return { changes: [{ key: found.key, value, expected: found.revision }], result: undefined };
    });
  }

  /** The resource that an ARN names. The wire has checked the ARN's form. */
  function find(call: CallContext, action: string, arn = ""): Document<Tagged> {
    const parsed = parseArn(arn);
    const [kind = "", id = ""] = parsed?.resource.split(":") ?? [];
    if (kind === "function") return findFunction(call, action, arn);
    if (parsed?.account !== call.account) throw errors.otherAccount(call.principal.arn, action, arn);
    const found =
      kind === "event-source-mapping"
        ? store.documents.get<EventSourceMappingRecord>(keys.eventSourceMapping(call, id))
        : kind === "code-signing-config"
          ? findCodeSigningConfig(store, call, arn)
          : undefined;
    if (found === undefined || parsed.region !== call.region) throw errors.taggedNotFound(kind, arn);
    return found;
  }

  function findFunction(call: CallContext, action: string, arn: string): Document<Tagged> {
    const name = parseFunctionName(call, action, arn);
    if (name.qualifier !== undefined) throw errors.tagsOnQualified();
    const found = store.function(name, name.name);
    if (found === undefined) throw errors.functionNotFound(functionArn(name, name.name));
    return found;
  }
}
