import type { AggregatingMetricSink } from "#telemetry/metric-sink";
import type { Scope } from "./store.ts";

/** What must stand in an event for it to be looked at: most have no metrics, and parsing each would cost too much. */
const MARK = Buffer.from('"_aws"');

/** "Specification: Embedded metric format" (CloudWatch user guide). */
const MOST_METRICS = 100;
const MOST_DIMENSIONS = 30;
const MOST_VALUES = 100;

const PLAIN_UNITS = (
  "Seconds Microseconds Milliseconds Percent Count None " +
  "Bytes Kilobytes Megabytes Gigabytes Terabytes Bits Kilobits Megabits Gigabits Terabits"
).split(" ");
const UNITS: ReadonlySet<string> = new Set(PLAIN_UNITS.flatMap((unit) => [unit, `${unit}/Second`]));

/** One value of a metric that an event told. */
export interface EmbeddedValue {
  readonly namespace: string;
  readonly name: string;
  readonly unit: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Epoch milliseconds; undefined where the event does not say. */
  readonly time: number | undefined;
}

/** Whether an encoded event may hold metrics. */
export function mayHoldMetrics(body: Uint8Array): boolean {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).includes(MARK);
}

/** The values that an event tells in the embedded metric format; what is not in that form is left out, as AWS does. */
export function* embeddedValues(message: string): Generator<EmbeddedValue> {
  const root = parse(message);
  const metadata = asFields(root?.["_aws"]);
  if (root === undefined || metadata === undefined) return;
  const time = typeof metadata["Timestamp"] === "number" ? metadata["Timestamp"] : undefined;
  for (const given of asList(metadata["CloudWatchMetrics"])) {
    const directive = asFields(given);
    const namespace = directive?.["Namespace"];
    if (directive === undefined || typeof namespace !== "string" || namespace === "") continue;
    const sets = asList(directive["Dimensions"]).map((names) => dimensionsOf(root, asList(names)));
    for (const definition of asList(directive["Metrics"]).slice(0, MOST_METRICS)) {
      const metric = asFields(definition);
      const name = metric?.["Name"];
      if (typeof name !== "string" || name === "") continue;
      const unit = metric?.["Unit"];
      for (const value of numbersOf(root[name]))
        for (const dimensions of sets)
          if (dimensions !== undefined)
            yield { namespace, name, unit: isUnit(unit) ? unit : "None", dimensions, value, time };
    }
  }
}

/** Publishes what events tell. @param now for values whose event does not say when they were */
export function publishEmbedded(
  metrics: Pick<AggregatingMetricSink, "series">,
  { account, region }: Scope,
  message: string,
  now: number,
): void {
  for (const { value, time, ...address } of embeddedValues(message))
    metrics.series({ account, region, ...address }).record(value, time ?? now);
}

type Fields = Readonly<Record<string, unknown>>;

function parse(message: string): Fields | undefined {
  try {
    return asFields(JSON.parse(message));
  } catch {
    return undefined;
  }
}

/** The values of the dimensions that a set names; undefined where the event lacks one of them. */
function dimensionsOf(root: Fields, names: readonly unknown[]): Readonly<Record<string, string>> | undefined {
  if (names.length > MOST_DIMENSIONS) return undefined;
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = typeof name === "string" && Object.hasOwn(root, name) ? root[name] : undefined;
    if (typeof name !== "string" || (typeof value !== "string" && typeof value !== "number"))
      return undefined;
    found[name] = String(value);
  }
  return found;
}

function numbersOf(value: unknown): readonly number[] {
  const values = Array.isArray(value) ? (value as unknown[]).slice(0, MOST_VALUES) : [value];
  return values.filter((one) => typeof one === "number");
}

function isUnit(unit: unknown): unit is string {
  return typeof unit === "string" && UNITS.has(unit);
}

function asFields(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
