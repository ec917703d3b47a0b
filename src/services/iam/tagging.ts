import type { Document, Documents } from "#storage/documents";
import { revise } from "../revise.ts";
import { addTags, paginate, removeTags, tagList, type Paging, type Tags } from "./store.ts";

interface TagInput {
  readonly Tags?: Parameters<typeof addTags>[1];
  readonly TagKeys?: readonly string[] | undefined;
}

/** Tag…, Untag… and List…Tags of one kind of record. @param require finds a record, or throws NoSuchEntity */
export function tagsOf<T extends { readonly tags: Tags }>(
  documents: Documents,
  require: (account: string, id: string | undefined) => Document<T>,
) {
  async function retag(account: string, id: string | undefined, next: (tags: Tags) => Tags) {
    const { key } = require(account, id);
    await revise<T>(documents, key, () => {
      const { value } = require(account, id);
      return [{ key, value: { ...value, tags: next(value.tags) } }];
    });
    return {};
  }

  return {
    tag: (account: string, id: string | undefined, input: TagInput) =>
      retag(account, id, (tags) => addTags(tags, input.Tags)),
    untag: (account: string, id: string | undefined, input: TagInput) =>
      retag(account, id, (tags) => removeTags(tags, input.TagKeys)),
    list(account: string, id: string | undefined, input: Paging) {
      const { items, paging } = paginate(input, tagList(require(account, id).value.tags), ({ Key }) => Key);
      return { Tags: items, ...paging };
    },
  };
}
