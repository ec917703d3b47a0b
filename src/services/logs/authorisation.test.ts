import { expect, it } from "vitest";
import { testCall } from "../../../test/support/call.ts";
import { withStorage } from "../../../test/support/storage.ts";
import { createLogsAuthorisation } from "./authorisation.ts";

const storage = withStorage();

function ask(operation: string, input: object): readonly string[] {
  const { questions } = createLogsAuthorisation(storage().documents);
  const asked = questions[operation]?.(input as never, testCall()) ?? [];
  return asked.map(({ action, resource }) => `${action} ${resource}`);
}

const group = (name: string) => `arn:aws:logs:us-east-1:111111111111:log-group:${name}:log-stream:`;

it("asks for a query about every group that it reads, and about all where it names none", () => {
  const input = { logGroupNames: ["/a"], logGroupIdentifiers: [group("/b").replace(/:log-stream:$/, ":*")] };
  expect(ask("StartQuery", input)).toEqual([
    `logs:StartQuery ${group("/a")}`,
    `logs:StartQuery ${group("/b")}`,
  ]);
  expect(ask("StartQuery", {})).toEqual(["logs:StartQuery *"]);
});

it("asks for the role that a subscription filter is handed", () => {
  const roleArn = "arn:aws:iam::111111111111:role/r";
  expect(ask("PutSubscriptionFilter", { logGroupName: "/a", roleArn })).toEqual([
    `logs:PutSubscriptionFilter ${group("/a")}`,
    `iam:PassRole ${roleArn}`,
  ]);
  expect(ask("PutSubscriptionFilter", { logGroupName: "/a" })).toHaveLength(1);
});

it("asks for a Live Tail session about every group", () => {
  const logGroupIdentifiers = ["/a", "/b"].map((name) => group(name).replace(/:log-stream:$/, ""));
  expect(ask("StartLiveTail", { logGroupIdentifiers })).toEqual([
    `logs:StartLiveTail ${group("/a")}`,
    `logs:StartLiveTail ${group("/b")}`,
  ]);
});
