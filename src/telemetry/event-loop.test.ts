import { expect, it } from "vitest";
import { monitorEventLoop } from "./event-loop.ts";

it("reads zeroes before the first look, never NaN", () => {
  const monitor = monitorEventLoop(1000);
  expect(monitor.read()).toEqual({ meanMs: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });
  monitor.stop();
});
