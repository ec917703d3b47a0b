import { expect, test } from "vitest";
import { createLambdaFixture } from "../../support/lambda-service.ts";
import { withStorage } from "../../support/storage.ts";
import { Recording } from "./recording.ts";

const storage = withStorage();

/** The client shows a payload as text; the handler's bytes are shown so, too. */
const shown = (outcome: Promise<{ Payload?: Uint8Array | undefined }>) =>
  outcome.then((output) => ({ ...output, Payload: Buffer.from(output.Payload ?? []).toString() }));

test("invocation types and unknown functions", async () => {
  const lambda = createLambdaFixture(storage());
  await lambda.create("fn");
  const Payload = Buffer.from("{}");
  const dryRun = new Recording("invocations", "test_invocation_type_dry_run[python3.10]");
  await dryRun.expect(
    "invoke-result",
    shown(lambda.call("Invoke", { FunctionName: "fn", Payload, InvocationType: "DryRun" })),
  );
  const event = new Recording("invocations", "test_invocation_type_event[python3.10]");
  await event.expect(
    "invoke-result",
    shown(lambda.call("Invoke", { FunctionName: "fn", Payload, InvocationType: "Event" })),
  );
  expect(lambda.engine.invocations).toEqual([]);
  expect(lambda.accepted).toHaveLength(1);
  const unknown = new Recording("invocations", "test_invoke_exceptions");
  await unknown.expect(
    "invoke_function_doesnotexist",
    lambda.call("Invoke", { FunctionName: "doesnotexist", Payload }),
  );
});
