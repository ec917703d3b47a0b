import type * as client from "@aws-sdk/client-sns";
import type { QueueAppend } from "#storage/documents";
import { RevisionConflict } from "#storage/documents";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { isFifo, requireTopicArn, type Scope, topicArn, type TopicName } from "../arns.ts";
import { encodeCleanup, TOPIC_REMAINS_MS } from "../delivery/cleanup.ts";
import { cleanupQueue } from "../delivery/queues.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import {
  type Attributes,
  keys,
  NO_SUBSCRIPTIONS,
  requireTopic,
  takePage,
  type TopicCounts,
  type TopicDocument,
} from "../store.ts";
import { addTags, tagList } from "../tags.ts";
import { requireAttribute, requireAttributes, shownAttributes } from "../topic/attributes.ts";
import { requireDataProtectionPolicy } from "../topic/data-protection.ts";

type Sns = typeof client;

/** Topics with their attributes, tags and data protection policies. */
export function topicOperations({ documents, clock, ids }: SnsDeps) {
  const CreateTopic: Handler<Sns, "CreateTopic"> = async (input, call) => {
    const { Attributes: given = {}, Tags: tags, DataProtectionPolicy: protection } = input;
    const fifo = given["FifoTopic"] === "true";
    const name = requireTopicName(input.Name ?? "", fifo);
    const attributes = requireAttributes(given, fifo);
    const topic: TopicDocument = {
      name,
      id: ids.hex(32),
      attributes,
      tags: addTags({}, tags),
      createdAt: clock.now(),
      ...(protection === undefined ? {} : { dataProtectionPolicy: requireDataProtectionPolicy(protection) }),
    };
    const key = keys.topic(inCall(call, name));
    try {
      await documents.commit([{ key, value: topic, expected: 0 }]);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      const existing = documents.get<TopicDocument>(key);
      if (existing !== undefined)
        requireSame(existing.value, attributes, tags === undefined ? undefined : topic.tags);
    }
    return { TopicArn: topicArn(inCall(call, name)) };
  };

  /** Its subscriptions stay readable, as AWS's do for a while, but nothing reaches them any more. */
  const DeleteTopic: Handler<Sns, "DeleteTopic"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const topic = documents.get<TopicDocument>(keys.topic(name));
    if (topic === undefined) return {};
    const remains: QueueAppend = {
      queue: cleanupQueue(name),
      body: encodeCleanup({ kind: "topic", topicId: topic.value.id }),
      delayMs: TOPIC_REMAINS_MS,
    };
    await documents.commit([{ key: keys.topic(name), delete: true }], [remains]);
    return {};
  };

  const ListTopics: Handler<Sns, "ListTopics"> = (input, call) => {
    const { items, next } = takePage<TopicDocument>(
      documents,
      keys.topics(call),
      input.NextToken,
      LIMITS.pageItems,
    );
    return {
      Topics: items.map(({ value: { name } }) => ({ TopicArn: topicArn(inCall(call, name)) })),
      ...(next === undefined ? {} : { NextToken: next }),
    };
  };

  const GetTopicAttributes: Handler<Sns, "GetTopicAttributes"> = (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const topic = requireTopic(documents, name).value;
    const counts = documents.get<TopicCounts>(keys.counts(name, topic.id))?.value ?? NO_SUBSCRIPTIONS;
    return { Attributes: shownAttributes(name, topic, counts) };
  };

  const SetTopicAttributes: Handler<Sns, "SetTopicAttributes"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const { AttributeName: attribute = "", AttributeValue: value = "" } = input;
    const key = keys.topic(name);
    await revise<TopicDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.topicMissing();
      const topic = current.value;
      const checked = requireAttribute(attribute, value, isFifo(name.name));
      return [{ key, value: { ...topic, attributes: { ...topic.attributes, [attribute]: checked } } }];
    });
    return {};
  };

  async function changeTags(
    arn: string | undefined,
    call: Parameters<typeof TagResource>[1],
    change: (tags: Attributes) => Attributes,
  ): Promise<void> {
    const key = keys.topic(requireTopicArn(arn, call, "ResourceArn"));
    await revise<TopicDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.resourceMissing();
      return [{ key, value: { ...current.value, tags: change(current.value.tags) } }];
    });
  }

  const TagResource: Handler<Sns, "TagResource"> = async (input, call) => {
    await changeTags(input.ResourceArn, call, (tags) => addTags(tags, input.Tags));
    return {};
  };

  const UntagResource: Handler<Sns, "UntagResource"> = async (input, call) => {
    const gone = new Set(input.TagKeys);
    await changeTags(input.ResourceArn, call, (tags) =>
      Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
    );
    return {};
  };

  const ListTagsForResource: Handler<Sns, "ListTagsForResource"> = (input, call) => {
    const name = requireTopicArn(input.ResourceArn, call, "ResourceArn");
    const topic = documents.get<TopicDocument>(keys.topic(name));
    if (topic === undefined) throw snsErrors.resourceMissing();
    return { Tags: tagList(topic.value.tags) };
  };

  const PutDataProtectionPolicy: Handler<Sns, "PutDataProtectionPolicy"> = async (input, call) => {
    const key = keys.topic(requireTopicArn(input.ResourceArn, call, "ResourceArn"));
    const policy = requireDataProtectionPolicy(input.DataProtectionPolicy ?? "");
    await revise<TopicDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.topicMissing();
      return [{ key, value: { ...current.value, dataProtectionPolicy: policy } }];
    });
    return {};
  };

  const GetDataProtectionPolicy: Handler<Sns, "GetDataProtectionPolicy"> = (input, call) => {
    const name = requireTopicArn(input.ResourceArn, call, "ResourceArn");
    return { DataProtectionPolicy: requireTopic(documents, name).value.dataProtectionPolicy ?? "" };
  };

  return {
    CreateTopic,
    DeleteTopic,
    ListTopics,
    GetTopicAttributes,
    SetTopicAttributes,
    TagResource,
    UntagResource,
    ListTagsForResource,
    PutDataProtectionPolicy,
    GetDataProtectionPolicy,
  } satisfies OperationsOf<Sns>;
}

/** A call's account and region are no members of its own, so that it cannot be spread. */
function inCall({ account, region }: Scope, name: string): TopicName {
  return { account, region, name };
}

/** Letters, digits, hyphens and underscores; FIFO topics, and they alone, end in ".fifo" (recorded). */
function requireTopicName(name: string, fifo: boolean): string {
  const plain = fifo ? name.replace(/\.fifo$/u, "") : name;
  const fits = /^[\w-]+$/u.test(plain) && name.length <= LIMITS.topicNameCharacters && fifo === isFifo(name);
  if (!fits) throw snsErrors.parameter("Topic Name");
  return name;
}

/** Creating what exists already is no change, and must not look like one (recorded: test_create_topic_different_attrs). */
function requireSame(topic: TopicDocument, attributes: Attributes, tags: Attributes | undefined): void {
  for (const [name, value] of Object.entries(attributes))
    if (topic.attributes[name] !== value)
      throw snsErrors.parameter("Attributes", "Topic already exists with different attributes");
  if (tags === undefined) return;
  const same =
    Object.keys(tags).length === Object.keys(topic.tags).length &&
    Object.entries(tags).every(([key, value]) => topic.tags[key] === value);
  if (!same) throw snsErrors.parameter("Tags", "Topic already exists with different tags");
}
