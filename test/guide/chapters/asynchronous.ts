import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { expect, it, vi } from "vitest";
import { noPython, type Reader } from "../support.ts";

export function asynchronous(reader: () => Reader): void {
  it.skipIf(noPython)(
    "fails without the import that the guide forgets, as on AWS (needs boto3)",
    async () => {
      const source = (await reader().source("3.2b-invokes-async")).replace("import json\n", "");
      await reader().deploy("3.2b-invokes-async", { as: "unrepaired-async", source });
      const { error, body } = await reader().invoke("unrepaired-async", { order_id: 42 });
      expect(error).toBe("Unhandled");
      expect(body).toMatchObject({
        errorType: "NameError",
        errorMessage: expect.stringContaining("name 'json' is not defined") as string,
      });
    },
  );

  it.skipIf(noPython)("invokes my-async-function with it, and does not wait (needs boto3)", async () => {
    await reader().deploy("3.2a-my-async-function");
    await reader().deploy("3.2b-invokes-async");
    expect(await reader().invoke("invokes-async", { order_id: 42 })).toMatchObject({
      error: undefined,
      body: null,
    });
    const logs = new CloudWatchLogsClient(reader().settings);
    const query = { logGroupName: "/aws/lambda/my-async-function", filterPattern: "got" };
    await vi.waitFor(
      async () => {
        const { events = [] } = await logs.send(new FilterLogEventsCommand(query));
        expect(events.map(({ message }) => message?.trim())).toEqual([
          "my-async-function got {'order_id': 42}",
        ]);
      },
      { timeout: 20_000, interval: 50 },
    );
  });
}
