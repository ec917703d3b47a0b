import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openApiBench } from "./support.ts";
import type { ApiBench } from "./support.ts";

let bench: ApiBench;
beforeAll(async () => {
  bench = await openApiBench();
});
afterAll(() => bench.close());

/** The runtime of AWS Lambda Developer Guide, "Tutorial: Building a custom runtime", as written there. */
const TUTORIAL = {
  bootstrap: `#!/bin/sh

set -euo pipefail

# Initialization - load function handler
source $LAMBDA_TASK_ROOT/"$(echo $_HANDLER | cut -d. -f1).sh"

# Processing
while true
do
  HEADERS="$(mktemp)"
  # Get an event. The HTTP request will block until one is received
  EVENT_DATA=$(curl -sS -LD "$HEADERS" "http://\${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next")

  # Extract request ID by scraping response headers received above
  REQUEST_ID=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)

  # Run the handler function from the script
  RESPONSE=$($(echo "$_HANDLER" | cut -d. -f2) "$EVENT_DATA")

  # Send the response
  curl "http://\${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/$REQUEST_ID/response"  -d "$RESPONSE"
done
`,
  "function.sh": `function handler () {
  EVENT_DATA=$1
  echo "$EVENT_DATA" 1>&2;
  RESPONSE="Echoing request: '$EVENT_DATA'"

  echo $RESPONSE
}
`,
};

describe("a custom runtime", () => {
  it("in shell, as in AWS's tutorial, runs unchanged", async () => {
    const spec = await bench.provided(TUTORIAL, { handler: "function.handler" });
    for (const text of ["one", "two"]) {
      const result = await bench.engine.invoke({
        spec,
        requestId: `00000000-0000-4000-8000-0000000000${text === "one" ? "01" : "02"}`,
        invokedArn: spec.arn,
        payload: Buffer.from(JSON.stringify({ text })),
        clientContext: undefined,
        traceHeader: undefined,
        tail: true,
      });
      expect(Buffer.from(result.payload).toString()).toBe(`Echoing request: '{"text":"${text}"}'`);
      expect(result.functionError).toBeUndefined();
      expect(Buffer.from(result.logTail ?? []).toString()).toContain(`{"text":"${text}"}\n`);
    }
    expect(bench.engine.status().environments).toBe(1);
    bench.engine.retire(spec.id);
  });
});
