import type { MetricAddress, MetricSeries, MetricSink, UsageMeter, UsageSink } from "../contract.ts";

/** AWS Lambda Developer Guide, "Types of metrics for Lambda functions" and "Monitoring concurrency". */
const NAMESPACE = "AWS/Lambda";

/** For an engine whose metrics nobody wants. */
export const noMetrics: MetricSink = { series: () => ({ record: () => {}, close: () => {} }) };

/** For an engine whose usage nobody counts. */
export const noUsage: UsageSink = { meter: () => ({ invoked: () => {}, reserved: () => {} }) };

type Unit = MetricAddress["unit"];
type Dimensions = MetricAddress["dimensions"];

/** Several series that take the same values: one metric, once for each set of dimensions. */
class Fan {
  readonly #series: readonly MetricSeries[];

  constructor(series: readonly MetricSeries[]) {
    this.#series = series;
  }

  record(value: number, time: number): void {
    for (const series of this.#series) series.record(value, time);
  }
}

/** The metrics across all functions of an account and region. */
export class AccountMeter {
  readonly concurrent: MetricSeries;
  readonly unreserved: MetricSeries;
  /** What on-demand invocations cannot have: it is used, reserved or provisioned. */
  readonly claimed: MetricSeries;
  readonly #sink: MetricSink;
  readonly #usage: UsageSink;
  readonly #account: string;
  readonly #region: string;

  constructor(sink: MetricSink, usage: UsageSink, account: string, region: string) {
    this.#sink = sink;
    this.#usage = usage;
    this.#account = account;
    this.#region = region;
    this.concurrent = this.series("ConcurrentExecutions", "Count", {});
    this.unreserved = this.series("UnreservedConcurrentExecutions", "Count", {});
    this.claimed = this.series("ClaimedAccountConcurrency", "Count", {});
  }

  ofFunction(arn: string): FunctionMeter {
    return new FunctionMeter(this, arn);
  }

  usageOf(functionName: string): UsageMeter {
    return this.#usage.meter(this.#account, this.#region, functionName);
  }

  series(name: string, unit: Unit, dimensions: Dimensions): MetricSeries {
    // Written out: each object that is spread has a shape of its own, which takes more room than what it holds.
    const [account, region] = [this.#account, this.#region];
    return this.#sink.series({ account, region, namespace: NAMESPACE, name, unit, dimensions });
  }
}

/** The metrics of one function, and what it is billed by. */
export class FunctionMeter {
  readonly concurrent: MetricSeries;
  readonly usage: UsageMeter;
  readonly #account: AccountMeter;
  readonly #arn: string;
  readonly #name: string;
  readonly #open: MetricSeries[] = [];
  readonly #resources = new Map<string, ResourceMeter>();
  readonly #provisioned = new Map<string, ProvisionedMeter>();

  constructor(account: AccountMeter, arn: string) {
    this.#account = account;
    this.#arn = arn;
    this.#name = arn.slice(arn.lastIndexOf(":") + 1);
    this.concurrent = this.#series("ConcurrentExecutions", "Count", { FunctionName: this.#name });
    this.usage = account.usageOf(this.#name);
  }

  /** @param invokedArn with the qualifier that the caller gave, where there was one */
  resource(invokedArn: string, version: string): ResourceMeter {
    const known = this.#resources.get(invokedArn);
    if (known?.version === version) return known;
    // An alias of two versions has a second meter for the second one.
    const key = known === undefined ? invokedArn : `${invokedArn}\n${version}`;
    let meter = known === undefined ? undefined : this.#resources.get(key);
    if (meter === undefined) {
      meter = new ResourceMeter(this, invokedArn.slice(this.#arn.length + 1), version);
      this.#resources.set(key, meter);
    }
    return meter;
  }

  /** @param qualifier what the provisioned concurrency was configured for */
  provisioned(qualifier: string, version: string): ProvisionedMeter {
    const key = `${qualifier}\n${version}`;
    let meter = this.#provisioned.get(key);
    if (meter === undefined)
      this.#provisioned.set(key, (meter = new ProvisionedMeter(this, qualifier, version)));
    return meter;
  }

  /** One metric for the function, for `qualifier`, and for the version that an alias ran. */
  fan(name: string, unit: Unit, qualifier: string, version: string, acrossFunctions: boolean): Fan {
    const FunctionName = this.#name;
    const Resource = qualifier === "" ? FunctionName : `${FunctionName}:${qualifier}`;
    const series = [
      this.#series(name, unit, { FunctionName }),
      this.#series(name, unit, { FunctionName, Resource }),
    ];
    if (qualifier !== "" && qualifier !== version)
      series.push(this.#series(name, unit, { FunctionName, Resource, ExecutedVersion: version }));
    // The account's own outlives its functions, so that it is not among those that are closed with this one.
    if (acrossFunctions) series.push(this.#account.series(name, unit, {}));
    return new Fan(series);
  }

  /** No more values will come soon. */
  close(): void {
    for (const series of this.#open) series.close();
  }

  #series(name: string, unit: Unit, dimensions: Dimensions): MetricSeries {
    const series = this.#account.series(name, unit, dimensions);
    this.#open.push(series);
    return series;
  }
}

/** The metrics of what a caller named: a function, a version or an alias, and the version that ran. */
export class ResourceMeter {
  readonly version: string;
  readonly #function: FunctionMeter;
  readonly #qualifier: string;
  readonly #invocations: Fan;
  readonly #errors: Fan;
  readonly #duration: Fan;
  /** Made when they are first needed: most functions are never throttled, and few are invoked by a qualifier. */
  #throttles: Fan | undefined;
  #spillovers: Fan | undefined;
  #extensions: Fan | undefined;

  constructor(of: FunctionMeter, qualifier: string, version: string) {
    this.version = version;
    this.#function = of;
    this.#qualifier = qualifier;
    this.#invocations = this.#fan("Invocations", "Count", true);
    this.#errors = this.#fan("Errors", "Count", true);
    this.#duration = this.#fan("Duration", "Milliseconds", true);
  }

  /** One invocation that has ended. @param time when it began, in epoch milliseconds: errors bear that time, too */
  invoked(durationMs: number, failed: boolean, time: number): void {
    this.#invocations.record(1, time);
    this.#errors.record(failed ? 1 : 0, time);
    this.#duration.record(durationMs, time);
  }

  /** An invocation after whose end extensions went on. */
  extended(milliseconds: number, time: number): void {
    this.#extensions ??= this.#fan("PostRuntimeExtensionsDuration", "Milliseconds", true);
    this.#extensions.record(milliseconds, time);
  }

  throttled(time: number): void {
    this.#throttles ??= this.#fan("Throttles", "Count", true);
    this.#throttles.record(1, time);
  }

  /** An invocation that found all provisioned environments busy. */
  spilledOver(time: number): void {
    this.#spillovers ??= this.#fan("ProvisionedConcurrencySpilloverInvocations", "Count", false);
    this.#spillovers.record(1, time);
  }

  #fan(name: string, unit: Unit, acrossFunctions: boolean): Fan {
    return this.#function.fan(name, unit, this.#qualifier, this.version, acrossFunctions);
  }
}

/** The metrics of provisioned environments, under the alias or version that they were configured for. */
export class ProvisionedMeter {
  readonly #invocations: Fan;
  readonly #concurrent: Fan;
  readonly #utilization: Fan;

  constructor(of: FunctionMeter, qualifier: string, version: string) {
    const fan = (name: string, unit: Unit) => of.fan(name, unit, qualifier, version, false);
    this.#invocations = fan("ProvisionedConcurrencyInvocations", "Count");
    this.#concurrent = fan("ProvisionedConcurrentExecutions", "Count");
    this.#utilization = fan("ProvisionedConcurrencyUtilization", "None");
  }

  /** @param busy environments that serve an invocation, out of `allocated` @param time epoch milliseconds */
  invoked(busy: number, allocated: number, time: number): void {
    this.#invocations.record(1, time);
    this.#concurrent.record(busy, time);
    this.#utilization.record(busy / Math.max(1, allocated), time);
  }
}
