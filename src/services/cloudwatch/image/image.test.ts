import { inflateSync } from "node:zlib";
import { writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import {
  createCloudWatchFixture,
  type CloudWatchFixture,
} from "../../../../test/support/cloudwatch-service.ts";
import { errorOf } from "../../../../test/support/lambda-service.ts";
import { withStorage } from "../../../../test/support/storage.ts";

const storage = withStorage();
const MINUTE = 60_000;
let cloudwatch: CloudWatchFixture;

beforeEach(async () => {
  cloudwatch = createCloudWatchFixture(storage());
  const now = cloudwatch.clock.now();
  await cloudwatch.call("PutMetricData", {
    Namespace: "App",
    MetricData: Array.from({ length: 170 }, (_, minute) =>
      ["a", "b"].map((MetricName, index) => ({
        MetricName,
        Value: 500 + 400 * Math.sin(minute / 15 + index) + minute * 4,
        Timestamp: new Date(now - minute * MINUTE),
      })),
    ).flat(),
  });
});

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly colours: ReadonlyMap<string, number>;
}

async function draw(widget: object): Promise<Picture> {
  const { MetricWidgetImage } = await cloudwatch.call("GetMetricWidgetImage", {
    MetricWidget: JSON.stringify(widget),
  });
  const png = Buffer.from(MetricWidgetImage ?? []);
  if (process.env["THAW_KEEP_IMAGE"] !== undefined) writeFileSync(process.env["THAW_KEEP_IMAGE"], png);
  expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)));
  const colours = new Map<string, number>();
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = y * (width * 3 + 1) + 1 + x * 3;
      const colour = rows.subarray(at, at + 3).toString("hex");
      colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
  return { width, height, colours };
}

const METRICS = [
  ["App", "a", { label: "first ${MAX}" }],
  [".", "b", { color: "#123456" }],
  [{ expression: "SUM(METRICS())", label: "both", id: "e" }],
];

describe("GetMetricWidgetImage", () => {
  it("draws lines, axes, thresholds and a legend as a PNG", async () => {
    const picture = await draw({
      title: "Latency of the app (ms)",
      metrics: METRICS,
      period: 300,
      annotations: { horizontal: [{ value: 1500, label: "limit", color: "#ff0000" }] },
    });
    expect([picture.width, picture.height]).toEqual([600, 400]);
    for (const colour of ["1f77b4", "123456", "2ca02c", "ff0000", "16191f", "e2e6ea"])
      expect(picture.colours.get(colour), colour).toBeGreaterThan(50);
  });

  it("leaves invisible metrics and a hidden legend out", async () => {
    const metrics = [["App", "a", { visible: false, id: "a" }], [{ expression: "a * 2", color: "#00aa00" }]];
    const picture = await draw({ metrics, width: 200, height: 100, legend: { position: "hidden" } });
    expect([picture.width, picture.height]).toEqual([200, 100]);
    expect(picture.colours.get("00aa00")).toBeGreaterThan(30);
    expect(picture.colours.has("1f77b4")).toBe(false);
  });

  it("fills areas where lines are stacked, and draws what has no data or no room", async () => {
    expect((await draw({ metrics: METRICS, stacked: true })).colours.size).toBeGreaterThan(10);
    expect((await draw({ metrics: [["App", "none"]] })).width).toBe(600);
    expect((await draw({ metrics: METRICS, width: 1, height: 1, title: "x" })).height).toBe(1);
  });

  it.each([
    ["no JSON", "{"],
    ["no metrics", "{}"],
    ["too wide", JSON.stringify({ metrics: METRICS, width: 5000 })],
    ["another view", JSON.stringify({ metrics: METRICS, view: "pie" })],
    ["no time", JSON.stringify({ metrics: METRICS, start: "yesterday" })],
    ["a metric without a name", JSON.stringify({ metrics: [["App"]] })],
    ["an unknown statistic", JSON.stringify({ metrics: [["App", "a", { stat: "Mode" }]] })],
  ])("refuses %s", async (_what, MetricWidget) => {
    const refused = cloudwatch.call("GetMetricWidgetImage", { MetricWidget });
    expect(await errorOf(refused)).toMatchObject({ code: "ValidationException" });
  });
});
