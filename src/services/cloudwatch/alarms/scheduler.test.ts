import { expect, it } from "vitest";
import { ManualClock, type Timer } from "#core/clock";
import { createCloudWatchFixture } from "../../../../test/support/cloudwatch-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();

/** Its timers end a millisecond early, as Node.js's may. */
class EarlyClock extends ManualClock {
  override after(delayMs: number, callback: () => void): Timer {
    return super.after(delayMs > 1 ? delayMs - 1 : delayMs, callback);
  }
}

it("looks at alarms when the minute is over, though timers end early", async () => {
  const clock = new EarlyClock();
  const cloudwatch = createCloudWatchFixture(storage(), { clock });
  const { scheduler } = cloudwatch;
  scheduler.start();
  await cloudwatch.call("PutMetricAlarm", {
    AlarmName: "a",
    Namespace: "App",
    MetricName: "Errors",
    Statistic: "Sum",
    Period: 60,
    EvaluationPeriods: 1,
    Threshold: 5,
    ComparisonOperator: "GreaterThanThreshold",
  });
  await cloudwatch.call("PutMetricData", {
    Namespace: "App",
    MetricData: [{ MetricName: "Errors", Value: 9 }],
  });
  const states: unknown[] = [];
  for (let n = 0; n < 6; n++) {
    clock.advance(10_000);
    await scheduler.idle();
    const { MetricAlarms = [] } = await cloudwatch.call("DescribeAlarms", { AlarmNames: ["a"] });
    states.push(MetricAlarms[0]?.StateValue);
  }
  expect(states).toEqual([...Array.from({ length: 5 }, () => "INSUFFICIENT_DATA"), "ALARM"]);
  await scheduler.stop();
});
