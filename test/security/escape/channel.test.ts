// What a function says out of turn on its control channel harms its own environment alone.
import { expect, it } from "vitest";
import { until } from "../../lifecycle/support.ts";
import { behindWalls } from "./walls.ts";
import { NODE_RUNTIME } from "./world.ts";

/** A function that can write frames of its own making beside its runtime; see guest/PROTOCOL.md. */
const SPEAKER = `const fs = require("node:fs");
let invocations = 0;
const wait = () => new Promise((resolve) => setTimeout(resolve, 20_000));
const frame = (type, ...parts) => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length + 1);
  head[4] = type;
  return Buffer.concat([head, body]);
};
const headed = (type, header, bytes) => {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return frame(type, length, json, Buffer.from(bytes));
};
const say = (bytes) => {
  for (let at = 0; at < bytes.length; )
    try { at += fs.writeSync(4, bytes, at); } catch (error) { if (error.code !== "EAGAIN") throw error; }
};
exports.handler = async (event, context) => {
  invocations++;
  const id = context.awsRequestId;
  if (event.code !== undefined) await eval("(async () => {" + event.code + "})()");
  return { own: event.own, invocations };
};`;

/** What it does, and what the caller is told; what its next invocation meets is always an environment that is whole. */
const CASES: readonly { name: string; code: string; errorType: string | RegExp }[] = [
  {
    name: "bytes that are no frame",
    code: "say(Buffer.alloc(1000, 255)); await wait();",
    errorType: "Function.ResponseSizeTooLarge",
  },
  {
    name: "a length without a frame, then the end",
    code: "say(Buffer.from([0, 0, 4, 0])); fs.closeSync(4); process.exit(0)",
    errorType: "Runtime.ExitError",
  },
  { name: "an empty frame", code: "say(Buffer.alloc(4)); await wait();", errorType: "Runtime.ExitError" },
  {
    name: "a type that is not there",
    code: "say(frame(0x8f)); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a frame of the platform's own",
    code: "say(frame(1)); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a second hello",
    code: `say(frame(0x81, Buffer.from('{"pid":1,"version":"1"}'))); await wait();`,
    errorType: "Runtime.ExitError",
  },
  { name: "a second end of init", code: "say(frame(0x82)); await wait();", errorType: "Runtime.ExitError" },
  {
    name: "a late init error",
    code: `say(frame(0x83, Buffer.from('{"errorType":"x"}'))); await wait();`,
    errorType: "Runtime.ExitError",
  },
  {
    name: "an exit of its launcher",
    code: `say(frame(0x87, Buffer.from('{"process":-1,"status":0}'))); await wait();`,
    errorType: "Runtime.ExitError",
  },
  {
    name: "an answer to another request",
    code: `say(headed(0x84, { requestId: "00000000-0000-4000-8000-000000000000", maxRssKb: 1 }, '"forged"')); await wait();`,
    errorType: "Runtime.ExitError",
  },
  {
    name: "an answer without a header",
    code: "say(frame(0x84)); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a header that is longer than its frame",
    code: "say(frame(0x84, Buffer.from([255, 255, 255, 255]))); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a header that is no JSON",
    code: "say(frame(0x84, Buffer.from([0, 0, 0, 2, 0x7b, 0x7b]))); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a header of other types",
    code: `say(headed(0x84, { requestId: [id], maxRssKb: "x" }, '1')); await wait();`,
    errorType: "Runtime.ExitError",
  },
  {
    name: "a header that reaches for prototypes",
    code: `say(headed(0x84, JSON.parse('{"__proto__":{"requestId":"x"},"constructor":1}'), '1')); await wait();`,
    errorType: "Runtime.ExitError",
  },
  {
    name: "a log frame without its time",
    code: "say(frame(0x86, Buffer.from([1]))); await wait();",
    errorType: "Runtime.ExitError",
  },
  {
    name: "a frame of the largest length and no end",
    code: "say(Buffer.from([2, 0, 0, 0, 0x84])); say(Buffer.alloc(1 << 20)); process.exit(1)",
    errorType: "Runtime.ExitError",
  },
];

behindWalls(
  (world, kind) => {
    it("ends the environment and answers its own caller", async () => {
      await prepared();
      const { served } = await world().alongside(async () => {
        for (const { name, code, errorType } of CASES) {
          // oxlint-disable-next-line no-await-in-loop
          const { error, payload } = await world().invoke("speaker", { code });
          expect([name, error, payload]).toEqual([name, "Unhandled", expect.objectContaining({ errorType })]);
          // oxlint-disable-next-line no-await-in-loop
          expect((await world().invoke("speaker", { own: name })).payload).toEqual({
            own: name,
            invocations: 1,
          });
        }
      });
      expect(served).toBeGreaterThan(0);
    });

    it("counts one answer for one request, and none for another's", async () => {
      await prepared();
      // Its own answer by hand, a thousand times: what follows the first, the runtime's own with it, is out of turn.
      const many = `say(Buffer.concat(Array.from({ length: 1000 }, (_, i) => headed(0x84, { requestId: id, maxRssKb: 1 }, JSON.stringify(event.own + "." + i)))))`;
      // One said again, late, in the midst of the next request.
      const late = `globalThis.old ??= id; setTimeout(() => say(headed(0x84, { requestId: old, maxRssKb: 1 }, '"stale"')), 0)`;
      for (let n = 0; n < 30; n++) {
        const code = n % 3 === 0 ? many : n % 3 === 1 ? late : undefined;
        // oxlint-disable-next-line no-await-in-loop
        const { error, payload } = await world().invoke("speaker", { own: n, code });
        // One that came while its environment was found out.
        if (error !== undefined) expect(payload).toMatchObject({ errorType: "Runtime.ExitError" });
        else if (n % 3 === 0) expect(payload).toBe(`${n}.0`);
        else expect(payload).toMatchObject({ own: n });
      }
      await until(async () =>
        expect((await world().invoke("speaker", { own: "end" })).payload).toMatchObject({ own: "end" }),
      );
    });

    it("tells the log what it likes, but not for another, nor in another's name", async () => {
      await prepared();
      const log = `const time = Buffer.alloc(8, 255);
        say(frame(0x86, time, Buffer.from("far off")));
        say(frame(0x86, Buffer.alloc(8), Buffer.from("\\u0000\\u001b[2Jlong ago")));
        say(frame(0x86, Buffer.alloc(8), Buffer.alloc(300_000, 0xff)));`;
      const { error, payload } = await world().invoke("speaker", { own: 1, code: log });
      expect({ error, payload }).toMatchObject({ error: undefined, payload: { own: 1 } });
    });

    it("has no descriptor but its own three, its channel and what tells it of recalls", async () => {
      await prepared();
      const open = `const { execFileSync } = require("node:child_process");
        const list = fs.readdirSync("/proc/self/fd").map((fd) => { try { return [fd, fs.readlinkSync("/proc/self/fd/" + fd)]; } catch { return [fd, ""]; } });
        throw new Error(JSON.stringify(list.filter(([, to]) => !/^(pipe:|socket:|anon_inode:|\\/dev\\/null)/.test(to) && to !== "")));`;
      const { payload } = await world().invoke("speaker", { code: open });
      const { errorMessage } = payload as { errorMessage: string };
      const others = (JSON.parse(errorMessage) as [string, string][]).filter(
        ([, to]) => !to.startsWith("/proc/"),
      );
      expect(others.map(([descriptor]) => descriptor)).toEqual(kind.sandbox === "oci" ? [] : ["9"]);
    });

    it.skipIf(kind.sandbox !== "bubblewrap")("cannot write what tells it of recalls", async () => {
      await prepared();
      const tries = `const again = "/proc/self/fd/9";
        const tries = { write: () => fs.writeSync(9, "x"), lengthen: () => fs.ftruncateSync(9, 1), reopen: () => fs.openSync(again, "r+"),
          append: () => fs.openSync(again, "a"), allow: () => fs.fchmodSync(9, 0o666), truncate: () => fs.truncateSync(again, 1) };
        const done = Object.keys(tries).filter((name) => { try { tries[name](); return true; } catch { return false; } });
        throw new Error(JSON.stringify([done, fs.fstatSync(9).size]));`;
      const { payload } = await world().invoke("speaker", { code: tries });
      expect(JSON.parse((payload as { errorMessage: string }).errorMessage)).toEqual([[], 0]);
    });

    let made: Promise<void> | undefined;
    function prepared(): Promise<void> {
      made ??= world().create(
        "speaker",
        { "index.js": SPEAKER },
        { Runtime: NODE_RUNTIME, Handler: "index.handler" },
      );
      return made;
    }
  },
  () => true,
);
