import { setImmediate as nextTurn } from "node:timers/promises";
import type { Timer } from "#core/clock";
import type { DocumentKey } from "#storage/documents";
import type { CloudWatchDeps } from "../deps.ts";
import { floor, HOUR, MINUTE, SECOND } from "../data/layers.ts";
import type { Scope } from "../data/metric.ts";
import type { Alarms } from "./alarms.ts";
import { evaluateAlarm, isHighResolution } from "./evaluate.ts";
import { alarmsPrefix, type MetricAlarmDocument } from "./records.ts";

/** Alarms whose periods are shorter than a minute are looked at this often. */
const TICK_MS = 10 * SECOND;

/** Alarms that are read at once. */
const PAGE = 50;

/** Looks at every metric alarm once a minute, at high-resolution ones every ten seconds, on time with the clock. */
export class AlarmScheduler {
  readonly #deps: CloudWatchDeps;
  readonly #alarms: Alarms;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #lastTick = 0;

  constructor(deps: CloudWatchDeps, alarms: Alarms) {
    this.#deps = deps;
    this.#alarms = alarms;
  }

  start(): void {
    this.#lastTick = this.#deps.clock.now();
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.idle();
  }

  /** Waits for a round under way, and for the actions that came of it. */
  async idle(): Promise<void> {
    await this.#running;
    await this.#alarms.idle();
  }

  /** One round: those whose time it is, and such as were set up since the last one. */
  async tick(): Promise<void> {
    const { clock, store } = this.#deps;
    const now = clock.now();
    const last = this.#lastTick;
    this.#lastTick = now;
    const scopes = store.scopes.list();
    if (scopes.length === 0) return;
    await store.settle();
    const minute = floor(now, MINUTE) !== floor(last, MINUTE);
    for (const scope of scopes) {
      await this.#round(
        scope,
        now,
        ({ settings, configuredAt }) => minute || configuredAt >= last || isHighResolution(settings),
      );
      await this.#alarms.resumeSuppressed(scope);
      if (floor(now, HOUR) !== floor(last, HOUR)) await this.#alarms.history.trim(scope, now);
    }
  }

  /** At whole multiples of ten seconds; a round that takes longer leaves the next one out. */
  #plan(): void {
    if (this.#stopped) return;
    const { clock, onError } = this.#deps;
    const now = clock.now();
    this.#timer = clock.after(floor(now, TICK_MS) + TICK_MS - now, () => {
      this.#running = this.tick()
        .catch(onError)
        .finally(() => this.#plan());
    });
  }

  async #round(scope: Scope, now: number, due: (alarm: MetricAlarmDocument) => boolean): Promise<void> {
    const { documents, onError } = this.#deps;
    const prefix = alarmsPrefix(scope, "metric");
    let after: DocumentKey | undefined;
    for (;;) {
      const options = after === undefined ? { limit: PAGE } : { limit: PAGE, after };
      const page = [...documents.list<MetricAlarmDocument>(prefix, options)];
      for (const { value } of page) {
        if (this.#stopped) return;
        if (!due(value)) continue;
        // One that cannot be evaluated keeps no other from being so.
        await this.#evaluate(scope, value, now).catch(onError);
        await nextTurn();
      }
      after = page.at(-1)?.key;
      if (page.length < PAGE) return;
      await nextTurn();
    }
  }

  async #evaluate(scope: Scope, alarm: MetricAlarmDocument, now: number): Promise<void> {
    const { state, byContributors } = await evaluateAlarm(this.#deps, scope, alarm, now);
    if (byContributors !== undefined) await this.#alarms.setContributors(scope, alarm, byContributors);
    if (state !== undefined && state.value !== alarm.state.value)
      await this.#alarms.setState(scope, alarm, state);
  }
}
