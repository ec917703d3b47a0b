import { outcomeOf, serviceOf, type ServiceName, type Trace } from "../traces/trace.ts";

/** Milliseconds: requests are looked at in periods of this length, each against the hour before it. */
export const PERIOD = 5 * 60_000;
const HISTORY = 12;
/** How much is read before a range, so that what is found in it does not depend on where it begins. */
export const LEAD = 2 * HISTORY * PERIOD;
/** Fewer requests before are no history, and fewer faults no anomaly. */
const LEAST_REQUESTS = 20;
const LEAST_FAULTS = 3;

export interface Counts {
  readonly ok: number;
  readonly faults: number;
}

/** A span of time in which requests failed more often than before. */
export interface Anomaly {
  /** Epoch milliseconds: of the first period's start and the last one's end. */
  readonly start: number;
  readonly end: number;
  readonly periods: readonly { readonly end: number; readonly requests: Counts; readonly cause: Counts }[];
  readonly requests: Counts;
  /** The share of requests that failed in the hour before, from 0 to 1. */
  readonly before: number;
  /** The innermost service that failed most often, and how its own requests went. */
  readonly cause: ServiceName | undefined;
  readonly causeRequests: Counts;
}

interface Period {
  readonly start: number;
  ok: number;
  faults: number;
  readonly causes: Map<string, { readonly service: ServiceName; count: number }>;
  readonly services: Map<string, { ok: number; faults: number }>;
}

/**
 * Finds anomalies of the rate of faults: periods in which it is twice that of the hour before, and more than three standard
 * deviations above it. X-Ray does not say how it finds its own.
 */
export class FaultRates {
  readonly #periods = new Map<number, Period>();

  add(trace: Trace): void {
    const start = Math.floor((trace.start * 1000) / PERIOD) * PERIOD;
    const period = this.#periods.get(start) ?? {
      start,
      ok: 0,
      faults: 0,
      causes: new Map<string, { service: ServiceName; count: number }>(),
      services: new Map<string, { ok: number; faults: number }>(),
    };
    this.#periods.set(start, period);
    let innermost: ServiceName | undefined;
    for (const segment of trace.segments) {
      const service = serviceOf(segment);
      const counts = period.services.get(keyOf(service)) ?? { ok: 0, faults: 0 };
      period.services.set(keyOf(service), counts);
      if (outcomeOf(segment).fault) {
        counts.faults++;
        innermost = service;
      } else counts.ok++;
    }
    if (innermost === undefined) {
      period.ok++;
      return;
    }
    period.faults++;
    const cause = period.causes.get(keyOf(innermost)) ?? { service: innermost, count: 0 };
    period.causes.set(keyOf(innermost), cause);
    cause.count++;
  }

  anomalies(): readonly Anomaly[] {
    const found: { before: number; periods: Period[] }[] = [];
    const usual: Period[] = [];
    for (const period of [...this.#periods.values()].sort((a, b) => a.start - b.start)) {
      const history = usual.filter(({ start }) => start >= period.start - HISTORY * PERIOD);
      const before = rateOf(history);
      if (before === undefined || !isAnomalous(period, before)) {
        usual.push(period);
        continue;
      }
      const last = found.at(-1);
      // A quiet period between two ends nothing.
      if (last !== undefined && period.start - (last.periods.at(-1)?.start ?? 0) <= 2 * PERIOD)
        last.periods.push(period);
      else found.push({ before, periods: [period] });
    }
    return found.map(({ before, periods }) => anomalyOf(periods, before));
  }
}

function rateOf(history: readonly Period[]): number | undefined {
  const { ok, faults } = sum(history);
  return ok + faults < LEAST_REQUESTS ? undefined : faults / (ok + faults);
}

function isAnomalous({ ok, faults }: Period, before: number): boolean {
  const rate = faults / (ok + faults);
  const deviation = Math.sqrt((before * (1 - before)) / (ok + faults));
  return faults >= LEAST_FAULTS && rate > 2 * before && rate > before + 3 * deviation;
}

function anomalyOf(periods: readonly Period[], before: number): Anomaly {
  const causes = new Map<string, { readonly service: ServiceName; count: number }>();
  for (const period of periods)
    for (const [key, { service, count }] of period.causes) {
      const known = causes.get(key) ?? { service, count: 0 };
      causes.set(key, known);
      known.count += count;
    }
  const cause = [...causes.values()].sort((a, b) => b.count - a.count)[0]?.service;
  const ofCause = (period: Period): Counts =>
    (cause === undefined ? undefined : period.services.get(keyOf(cause))) ?? { ok: 0, faults: 0 };
  return {
    start: periods[0]?.start ?? 0,
    end: (periods.at(-1)?.start ?? 0) + PERIOD,
    periods: periods.map((period) => ({
      end: period.start + PERIOD,
      requests: { ok: period.ok, faults: period.faults },
      cause: ofCause(period),
    })),
    requests: sum(periods),
    before,
    cause,
    causeRequests: sum(periods.map((period) => ofCause(period))),
  };
}

function sum(all: readonly Counts[]): Counts {
  return all.reduce((a, b) => ({ ok: a.ok + b.ok, faults: a.faults + b.faults }), { ok: 0, faults: 0 });
}

function keyOf({ name, type }: ServiceName): string {
  return `${type ?? ""} ${name}`;
}
