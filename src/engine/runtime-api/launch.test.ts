import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChannelListener } from "../environment/channel.ts";
import { FRAME, FrameError } from "../environment/frames.ts";
import { LaunchedChannel, shellWord } from "./launch.ts";
import type { LaunchPlan } from "./launch.ts";

const plan = (over: Partial<LaunchPlan> = {}): LaunchPlan => ({
  extensions: [],
  runtime: { argv: ["/var/task/bootstrap"], environment: { A: "b c" } },
  cwd: "/var/task",
  wrapper: undefined,
  fault: undefined,
  ...over,
});

function open(over: Partial<LaunchPlan> = {}): { channel: LaunchedChannel; sent: string[]; told: unknown[] } {
  const sent: string[] = [];
  const told: unknown[] = [];
  const listener = new Proxy({} as ChannelListener, {
    get:
      (_target, name) =>
      (...given: unknown[]) =>
        told.push([name, ...given]),
  });
  const channel = new LaunchedChannel(
    listener,
    (bytes) => sent.push(Buffer.from(bytes).toString()),
    () => plan(over),
    undefined,
    () => undefined,
  );
  return { channel, sent, told };
}

const hello = Buffer.from("{}");

describe("a word for the launcher", () => {
  it("is one line of shell that stands for exactly that word", () => {
    const word = fc.string({
      unit: fc.constantFrom("a", " ", "'", '"', "$", "`", "\\", "\n", "\t", "*", "é", ";"),
    });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        const line = words.map(shellWord).join(" ");
        expect(line).not.toContain("\n");
        const script = 'NL="\n"\nIFS= read -r line\neval "set -- $line"\nprintf "%s\\0" "$@"';
        const output = execFileSync("/bin/sh", ["-c", script], { input: `${line}\n`, encoding: "utf8" });
        expect(output.split("\0").slice(0, -1)).toEqual(words);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the launcher's channel", () => {
  it("lets a runtime without extensions take the launcher's place", () => {
    const { channel, sent, told } = open();
    channel.frame(FRAME.hello, hello);
    expect(told).toEqual([["booted"]]);
    channel.initialise();
    expect(sent).toEqual([`cd '/var/task'\nexec env -i 'A=b c' '/var/task/bootstrap' 3<&- 4>&-\n`]);
    channel.terminate();
    expect(sent).toHaveLength(1);
  });

  it("starts the runtime once, after the extensions, and can ask it to end", () => {
    const { channel, sent } = open({
      extensions: [{ argv: ["/opt/extensions/e"], environment: {} }],
    });
    channel.frame(FRAME.hello, hello);
    channel.initialise();
    expect(sent).toEqual([`extension 0 env -i '/opt/extensions/e'\n`]);
    channel.terminate();
    channel.startRuntime();
    channel.startRuntime();
    channel.terminate();
    expect(sent.slice(1)).toEqual([
      `cd '/var/task'\nbeside_extensions env -i 'A=b c' '/var/task/bootstrap'\n`,
      "TERM\n",
    ]);
  });

  it("tells which process ended", () => {
    const { channel, told } = open();
    channel.frame(FRAME.exit, Buffer.from('{"process":-1,"status":137}'));
    channel.frame(FRAME.exit, Buffer.from('{"process":2,"status":0}'));
    expect(told).toEqual([
      ["processEnded", "runtime", 137],
      ["processEnded", 2, 0],
    ]);
  });

  it.each([
    ["an unknown frame", FRAME.initDone, "{}"],
    ["an end without a status", FRAME.exit, '{"process":1}'],
    ["an end that is no JSON", FRAME.exit, "{"],
    ["an end that is too long", FRAME.exit, `{"process":1,"status":0,"x":"${"y".repeat(300)}"}`],
  ])("takes %s for a broken guest", (_what, type, body) => {
    const { channel } = open();
    channel.frame(FRAME.hello, hello);
    expect(() => channel.frame(type, Buffer.from(body))).toThrow(FrameError);
  });
});
