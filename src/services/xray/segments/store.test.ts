import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { ManualClock } from "#core/clock";
import { withStorage } from "../../../../test/support/storage.ts";
import { until } from "../../../../test/support/until.ts";
import { SegmentStore } from "./store.ts";

const storage = withStorage();
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const scope = { account: "000000000000", region: "us-east-1" };

it("sweeps no more once it was stopped in the middle of a sweep", async () => {
  const { documents, journal } = storage();
  const clock = new ManualClock(1_767_225_600_000);
  const onError = vi.fn<(error: unknown) => void>();
  const store = new SegmentStore({ documents, journal, clock, onError });
  const traceId = `1-${(clock.now() / 1000).toString(16)}-${"0".repeat(24)}`;
  await store.append(scope, [{ traceId, document: "{}" }]);
  const places = vi.spyOn(documents, "list");
  const streams = vi.spyOn(journal, "streams");
  clock.advance(31 * DAY);
  store.start();
  clock.advance(HOUR);
  store.stop();
  expect(places).not.toHaveBeenCalled();
  await until(() => expect(places).toHaveBeenCalledOnce());
  // What follows in the sweep waits for nothing.
  await nextTurn();
  streams.mockClear();
  clock.advance(DAY);
  expect(streams).not.toHaveBeenCalled();
  expect(onError).not.toHaveBeenCalled();
});
