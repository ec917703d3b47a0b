import {
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientFor, startPlatform } from "../support/platform.ts";
import type { TestPlatform } from "../support/platform.ts";
import { zip } from "../engine/zip.ts";
import { has } from "./support.ts";

let platform: TestPlatform;
let lambda: LambdaClient;
beforeAll(async () => {
  platform = await startPlatform();
  lambda = new LambdaClient(clientFor(platform.url));
});
afterAll(async () => {
  expect(await platform.stop()).toBe(0);
});

describe.skipIf(!has("curl"))("a platform with the walls that this host has", () => {
  it("runs a function that brings its own runtime", async () => {
    const bootstrap = `#!/bin/sh
      API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
      while true; do
        EVENT=$(curl -sS -D /tmp/headers "$API/next")
        ID=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p' /tmp/headers | tr -d '\\r')
        curl -sS -o /dev/null "$API/$ID/response" -d "{\\"event\\":$EVENT,\\"handler\\":\\"$_HANDLER\\"}"
      done
    `;
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: "own-runtime",
        Runtime: "provided.al2023",
        Handler: "my.handler",
        Role: "arn:aws:iam::000000000000:role/thaw-basic-execution",
        Code: { ZipFile: zip([{ name: "bootstrap", data: bootstrap, mode: 0o100755 }]) },
      }),
    );
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 30, minDelay: 0.02, maxDelay: 0.2 },
      { FunctionName: "own-runtime" },
    );
    for (const n of [1, 2]) {
      const answer = await lambda.send(
        new InvokeCommand({ FunctionName: "own-runtime", Payload: JSON.stringify({ n }) }),
      );
      expect(answer.FunctionError).toBeUndefined();
      expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({
        event: { n },
        handler: "my.handler",
      });
    }
  });
});
