import { setImmediate as nextTurn } from "node:timers/promises";
import { Canvas, type Colour, fitText, textWidth } from "./canvas.ts";
import { niceTicks, shortNumber, timeLabel, timeTicks } from "./scale.ts";

export interface ChartLine {
  readonly label: string;
  readonly colour: Colour;
  readonly period: number;
  /** Values by time (epoch ms), in ascending order. */
  readonly points: ReadonlyMap<number, number>;
}

export interface Chart {
  readonly width: number;
  readonly height: number;
  readonly title: string | undefined;
  readonly start: number;
  readonly end: number;
  /** Minutes east of UTC. */
  readonly zone: number;
  readonly stacked: boolean;
  readonly legend: boolean;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly lines: readonly ChartLine[];
  readonly thresholds: readonly { readonly value: number; readonly label: string; readonly colour: Colour }[];
}

const WHITE: Colour = [255, 255, 255];
const INK: Colour = [22, 25, 31];
const GREY: Colour = [104, 112, 120];
const GRID: Colour = [226, 230, 234];

/** The graph's own area within the picture. */
interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Draws a line chart with axes and a legend. Other work gets a turn between lines. */
export async function drawChart(chart: Chart): Promise<Canvas> {
  const { width, height, title, legend } = chart;
  const canvas = new Canvas(width, height, WHITE);
  const lines = chart.stacked ? stack(chart.lines) : chart.lines;
  const rows = legend ? legendRows(chart.lines, width - 20) : [];
  const top = title === undefined ? 14 : 30;
  const bottom = 22 + rows.length * 12 + (rows.length > 0 ? 6 : 0);
  const ticks = valueTicks(chart, lines, Math.max(2, Math.floor((height - top - bottom) / 40)));
  const left = 12 + Math.max(...ticks.map((tick) => textWidth(shortNumber(tick))));
  const frame: Frame = {
    left,
    top,
    width: Math.max(1, width - left - 14),
    height: Math.max(1, height - top - bottom),
  };
  if (title !== undefined) canvas.text(10, 10, fitText(title, width - 20), INK);
  const y = yScale(frame, ticks);
  drawAxes(canvas, chart, frame, ticks, y);
  const x = (time: number): number =>
    frame.left + ((time - chart.start) / Math.max(1, chart.end - chart.start)) * frame.width;
  for (const [index, line] of lines.entries()) {
    drawLine(canvas, line, frame, x, y, chart.stacked ? lines[index - 1] : undefined, chart.stacked);
    await nextTurn();
  }
  for (const { value, label, colour } of chart.thresholds) {
    const at = y(value);
    if (at < frame.top || at > frame.top + frame.height) continue;
    canvas.line(frame.left, at, frame.left + frame.width, at, colour, 1);
    canvas.text(frame.left + 4, Math.round(at) - 10, fitText(label, frame.width - 8), colour);
  }
  for (const [index, row] of rows.entries()) drawLegend(canvas, row, height - (rows.length - index) * 12 - 2);
  return canvas;
}

function valueTicks(chart: Chart, lines: readonly ChartLine[], count: number): readonly number[] {
  let [low, high] = [Infinity, -Infinity];
  for (const { points } of lines)
    for (const value of points.values()) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  for (const { value } of chart.thresholds) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  const from = chart.min ?? (low > 0 && (chart.stacked || low < high / 2) ? 0 : low);
  const to = chart.max ?? high;
  const ticks = niceTicks(from, Math.max(to, from), count);
  if (chart.min === undefined && chart.max === undefined) return ticks;
  const inside = ticks.filter((tick) => tick > from && tick < to);
  return [from, ...inside, Math.max(to, from + 1e-9)];
}

function yScale(frame: Frame, ticks: readonly number[]): (value: number) => number {
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1];
  return (value) => frame.top + frame.height - ((value - low) / (high - low)) * frame.height;
}

function drawAxes(
  canvas: Canvas,
  { start, end, zone }: Chart,
  frame: Frame,
  ticks: readonly number[],
  y: (value: number) => number,
): void {
  const bottom = frame.top + frame.height;
  for (const tick of ticks) {
    const at = Math.round(y(tick));
    const text = shortNumber(tick);
    canvas.rectangle(frame.left, at, frame.width, 1, GRID);
    canvas.text(frame.left - 6 - textWidth(text), at - 3, text, GREY);
  }
  canvas.rectangle(frame.left, bottom, frame.width, 1, GREY);
  for (const time of timeTicks(start, end, Math.floor(frame.width / 55), zone)) {
    const at = Math.round(frame.left + ((time - start) / (end - start)) * frame.width);
    const text = timeLabel(time, end - start, zone);
    canvas.rectangle(at, bottom, 1, 4, GREY);
    canvas.text(at - Math.round(textWidth(text) / 2), bottom + 7, text, GREY);
  }
}

/** A line is broken where a period has no value; a value between two such is a dot. */
function drawLine(
  canvas: Canvas,
  { points, colour, period }: ChartLine,
  frame: Frame,
  x: (time: number) => number,
  y: (value: number) => number,
  below: ChartLine | undefined,
  filled: boolean,
): void {
  const clamp = (at: number): number => Math.max(frame.top - 2, Math.min(frame.top + frame.height + 1, at));
  let before: readonly [number, number] | undefined;
  const entries = [...points];
  for (const [index, [time, value]] of entries.entries()) {
    const [at, height] = [x(time), clamp(y(value))];
    const joined = before !== undefined && time - before[0] <= period * 1.5;
    const next = entries[index + 1];
    if (joined && before !== undefined) {
      canvas.line(x(before[0]), clamp(y(before[1])), at, height, colour);
      if (filled) {
        const floors = [before[0], time].map((each) => clamp(y(below?.points.get(each) ?? 0))) as [
          number,
          number,
        ];
        fillBetween(canvas, [x(before[0]), clamp(y(before[1])), floors[0]], [at, height, floors[1]], colour);
      }
    } else if (next === undefined || next[0] - time > period * 1.5)
      canvas.line(at - 0.8, height, at + 0.8, height, colour, 3);
    before = [time, value];
  }
}

type Edge = readonly [x: number, top: number, bottom: number];

function fillBetween(canvas: Canvas, from: Edge, to: Edge, colour: Colour): void {
  const width = Math.max(1, to[0] - from[0]);
  for (let x = Math.ceil(from[0]); x < to[0]; x++) {
    const share = (x - from[0]) / width;
    const top = Math.round(from[1] + share * (to[1] - from[1]));
    const bottom = Math.round(from[2] + share * (to[2] - from[2]));
    canvas.rectangle(x, Math.min(top, bottom), 1, Math.abs(bottom - top), colour, 0.35);
  }
}

/** Each line on top of those before it. */
function stack(lines: readonly ChartLine[]): readonly ChartLine[] {
  const heights = new Map<number, number>();
  return lines.map((line) => {
    const points = new Map<number, number>();
    for (const [time, value] of line.points) {
      const height = (heights.get(time) ?? 0) + value;
      heights.set(time, height);
      points.set(time, height);
    }
    return { ...line, points };
  });
}

interface LegendEntry {
  readonly x: number;
  readonly text: string;
  readonly colour: Colour;
}

/** More lines are not named: they would leave no room for the graph. */
const MAX_ROWS = 6;

function legendRows(lines: readonly ChartLine[], width: number): readonly (readonly LegendEntry[])[] {
  const rows: LegendEntry[][] = [];
  let x = Infinity;
  for (const { label, colour } of lines) {
    const text = fitText(label, width - 14);
    if (x + 14 + textWidth(text) > width) {
      if (rows.length === MAX_ROWS) break;
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ x: 10 + x, text, colour });
    x += 14 + textWidth(text) + 16;
  }
  return rows;
}

function drawLegend(canvas: Canvas, row: readonly LegendEntry[], y: number): void {
  for (const { x, text, colour } of row) {
    canvas.rectangle(x, y - 7, 8, 8, colour);
    canvas.text(x + 13, y - 6, text, INK);
  }
}
