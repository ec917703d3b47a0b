import type * as client from "@aws-sdk/client-sns";
import type { Handler, OperationsOf } from "#wire/operation";
import { revise } from "../../revise.ts";
import { requireTopicArn, topicArn, type TopicName } from "../arns.ts";
import type { SnsDeps } from "../deps.ts";
import { snsErrors } from "../errors.ts";
import { keys, type TopicDocument } from "../store.ts";
import { addStatement, defaultPolicy, removeStatement } from "../topic/policy.ts";

type Sns = typeof client;

/** Statements of a topic's policy. */
export function permissionOperations({ documents }: SnsDeps) {
  async function changePolicy(name: TopicName, change: (policy: string) => string): Promise<void> {
    const key = keys.topic(name);
    await revise<TopicDocument>(documents, key, (current) => {
      if (current === undefined) throw snsErrors.topicMissing();
      const topic = current.value;
      const policy = change(topic.attributes["Policy"] || defaultPolicy(topicArn(name), name.account));
      return [{ key, value: { ...topic, attributes: { ...topic.attributes, Policy: policy } } }];
    });
  }

  const AddPermission: Handler<Sns, "AddPermission"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    const { Label: label = "", AWSAccountId: accounts = [], ActionName: actions = [] } = input;
    await changePolicy(name, (policy) =>
      addStatement(policy, { label, accounts, actions, arn: topicArn(name) }),
    );
    return {};
  };

  const RemovePermission: Handler<Sns, "RemovePermission"> = async (input, call) => {
    const name = requireTopicArn(input.TopicArn, call);
    await changePolicy(name, (policy) => removeStatement(policy, input.Label ?? ""));
    return {};
  };

  return { AddPermission, RemovePermission } satisfies OperationsOf<Sns>;
}
