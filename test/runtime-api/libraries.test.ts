import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packages } from "../support/packages.ts";
import { openApiBench, WALLS } from "./support.ts";
import type { ApiBench } from "./support.ts";

describe.each(WALLS)("in $walls", ({ walls, missing }) => {
  describe.skipIf(missing !== undefined)(missing ?? "libraries", () => {
    let bench: ApiBench;
    beforeAll(async () => {
      bench = await openApiBench(walls);
    });
    afterAll(() => bench.close());

    describe("libraries for functions, as their packages are", () => {
      it("middy and Powertools find the context, the environment and the log that they expect", async () => {
        const spec = await bench.spec(
          {
            "index.mjs": `
          import middy from "@middy/core";
          import { Logger } from "@aws-lambda-powertools/logger";
          import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
          import { Metrics } from "@aws-lambda-powertools/metrics";
          import { logMetrics } from "@aws-lambda-powertools/metrics/middleware";
          const logger = new Logger({ serviceName: "shop" });
          const metrics = new Metrics({ namespace: "Shop", serviceName: "shop" });
          export const handler = middy(async (event, context) => {
            logger.info("an order", { order: event.order });
            metrics.addMetric("orders", "Count", 1);
            return { order: event.order, left: context.getRemainingTimeInMillis() > 0 };
          })
            .use(injectLambdaContext(logger))
            .use(logMetrics(metrics, { captureColdStartMetric: true }))
            .before((request) => { request.event.order ??= 1; })
            .onError((request) => { request.response = { failed: request.error.message }; });
        `,
            ...packages(
              "@middy/core",
              "@aws-lambda-powertools/commons",
              "@aws-lambda-powertools/logger",
              "@aws-lambda-powertools/metrics",
              "@aws/lambda-invoke-store",
            ),
          },
          { name: "shop" },
        );
        const { payload, tail = "", requestId } = await bench.invoke(spec, { order: 7 });
        expect(payload).toEqual({ order: 7, left: true });
        const documents = tail.split("\n").flatMap((line) => {
          const json = line.slice(line.indexOf("{"));
          return line.includes("{") ? [JSON.parse(json) as Record<string, unknown>] : [];
        });
        expect(documents).toContainEqual(
          expect.objectContaining({
            level: "INFO",
            message: "an order",
            order: 7,
            service: "shop",
            cold_start: true,
            function_name: "shop",
            function_arn: spec.arn,
            function_memory_size: "256",
            function_request_id: requestId,
          }),
        );
        expect(documents).toContainEqual(expect.objectContaining({ orders: 1, service: "shop" }));
        expect(documents).toContainEqual(expect.objectContaining({ ColdStart: 1, function_name: "shop" }));
        bench.engine.retire(spec.id);
      });
    });
  });
});
