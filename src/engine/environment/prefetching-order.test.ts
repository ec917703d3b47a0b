// Whatever the order in which a host lets a guest and its platform get on: no event is begun twice, each has one section of
// the log, and none ends by what another says. The guest keeps the protocol (guest/PROTOCOL.md, "Prefetched events"); the
// platform's part is the real one.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { lateLog, log, response } from "../../../test/engine/guest-frames.ts";
import {
  endedBy,
  PlayedEnvironment,
  returned,
  turn,
  turns,
} from "../../../test/engine/played-environment.ts";
import { RECALL_MS } from "./prefetched.ts";

const STEPS = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.tuple(fc.constant("give" as const), fc.integer({ min: 1, max: 4 })) },
    // The guest gets so far, by these numbers, before anything else happens.
    {
      weight: 30,
      arbitrary: fc.tuple(fc.constant("guest" as const), fc.array(fc.nat(99), { maxLength: 8 })),
    },
    // Time passes, and the platform reads nothing meanwhile: its timers come first then.
    {
      weight: 15,
      arbitrary: fc.tuple(fc.constant("pass" as const), fc.constantFrom(1, RECALL_MS, 100, 100, 1000, 3000)),
    },
    // The platform reads all that there is, and its event loop takes so many turns.
    { weight: 40, arbitrary: fc.tuple(fc.constant("read" as const), fc.integer({ min: 1, max: 4 })) },
    // What an event has started writes beside the channel.
    { weight: 1, arbitrary: fc.tuple(fc.constant("output" as const), fc.constant(1)) },
  ),
  { maxLength: 80, size: "max" },
);

/** A guest that keeps the protocol and gets on when it is told to. */
class PlayedGuest {
  readonly begun: string[] = [];
  /** Those of which it said itself how they ended. */
  readonly answered: string[] = [];
  /** How it ended, by itself. */
  end: { status?: number; signal?: string } | undefined;
  readonly #world: PlayedEnvironment;
  #taken = 0;
  #current: string | undefined;
  #latest: string | undefined;
  #written: Buffer[] = [];

  constructor(world: PlayedEnvironment) {
    this.#world = world;
  }

  /** It has nothing to do. */
  get rests(): boolean {
    return this.#current === undefined && this.#next === undefined;
  }

  get #next(): readonly [string, number | undefined] | undefined {
    return this.#world.sent().flat()[this.#taken];
  }

  /** What it has written since, as the platform reads it. */
  read(): Buffer {
    const written = Buffer.concat(this.#written);
    this.#written = [];
    return written;
  }

  /** @param how from 0 to 99: what it does, where it may do several things */
  move(how: number): void {
    if (this.end !== undefined) return;
    if (this.#current !== undefined) return this.#run(this.#current, how);
    if (this.#latest !== undefined && how < 15) return this.#leave(this.#latest, how);
    const next = this.#next;
    if (next === undefined) return;
    const [requestId, number] = next;
    this.#taken++;
    if (number !== undefined && number < (this.#world.sandbox.recalls.at(-1) ?? 0))
      this.#written.push(returned(requestId));
    else {
      this.begun.push(requestId);
      this.#current = requestId;
    }
  }

  #run(requestId: string, how: number): void {
    if (how < 20) this.#written.push(log(requestId));
    else if (how < 22) this.end = { signal: "SIGKILL" };
    else if (how < 24) {
      this.#written.push(endedBy(requestId));
      this.answered.push(requestId);
      this.end = { status: 1 };
    } else {
      this.#written.push(response(requestId));
      this.answered.push(requestId);
      this.#latest = requestId;
      this.#current = undefined;
    }
  }

  /** Something of an event that was answered is left. */
  #leave(latest: string, how: number): void {
    this.#written.push(lateLog("late"));
    if (how > 4) return;
    this.#written.push(endedBy(latest));
    this.end = { status: 129 };
  }
}

/** An environment with such a guest, on a host that lets either get on as it likes. */
class Host {
  readonly world = new PlayedEnvironment();
  readonly guest = new PlayedGuest(this.world);
  /** How many events were given. */
  given = 0;
  /** The guest is gone. */
  gone = false;

  /** Gives one event, if one can be given. */
  give(): void {
    const { environment, told } = this.world;
    const idle = environment.idle();
    const requestId = `r${this.given}`;
    if (idle !== undefined) {
      told.push(`${requestId} begun`);
      this.world.begin(idle, requestId);
    } else if (environment.prefetching() === undefined) return;
    else this.world.prefetch(requestId);
    this.given++;
  }

  async read(): Promise<void> {
    const { guest, world } = this;
    if (this.gone) return;
    world.frames(guest.read());
    if (guest.end !== undefined || world.sandbox.kills > 0) {
      world.sandbox.listener.exiting();
      world.sandbox.exit(guest.end ?? { signal: "SIGKILL" });
      this.gone = true;
    }
    await turn();
  }

  /** All that is left comes to its end, by a guest that answers at once. */
  async rest(): Promise<void> {
    const { guest, world } = this;
    while (!this.gone && !(guest.rests && world.environment.idle() !== undefined)) {
      guest.move(99);
      // oxlint-disable-next-line no-await-in-loop
      await this.read();
    }
    await turns();
  }
}

it("begins no event twice, and has one section of the log for each, whatever is slow", async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, async (steps) => {
      const host = new Host();
      const { world, guest } = host;
      await world.idle();
      for (const [kind, what] of steps) {
        if (host.gone) break;
        if (kind === "give") for (let left = what; left > 0; left--) host.give();
        else if (kind === "guest") for (const how of what) guest.move(how);
        else if (kind === "pass") world.clock.advance(what);
        else if (kind === "output") world.sandbox.listener.output(1, Buffer.from("late\n"));
        // oxlint-disable-next-line no-await-in-loop
        else for (let left = what; left > 0; left--) await host.read();
      }
      await host.rest();
      expectEachOnce(host);
    }),
    { numRuns: 500 },
  );
});

function expectEachOnce({ world, guest, given, gone }: Host): void {
  const { told } = world;
  const { begun, answered } = guest;
  expect(new Set(begun).size).toBe(begun.length);
  let section: string | undefined;
  const ends = new Map<string, string>();
  for (const line of told) {
    const [what = "", how = ""] = line.split(" ");
    const context = [line, told];
    if (line === "dead" || line === "log late") continue;
    if (what === "log") expect([how, ...context]).toEqual([section, ...context]);
    else if (how === "begun") {
      expect([section, ...context]).toEqual([undefined, ...context]);
      section = what;
    } else {
      if (how !== "returned") {
        expect([section, ...context]).toEqual([what, ...context]);
        section = undefined;
      }
      expect([ends.has(what), ...context]).toEqual([false, ...context]);
      ends.set(what, how);
    }
  }
  expect([section, ends.size, told]).toEqual([undefined, given, told]);
  for (const [requestId, how] of ends) {
    const context = [requestId, how, told];
    if (how === "returned") expect([begun.includes(requestId), ...context]).toEqual([false, ...context]);
    if (how === "response" || how === "error")
      expect([answered.includes(requestId), ...context]).toEqual([true, ...context]);
    // Nothing fails where the guest lives, which what it says must not end.
    if (!gone) expect(["response", "returned"]).toContain(how);
  }
  if (gone && guest.end === undefined) expect([...ends.values()]).toContain("timeout");
}
