// console as Lambda patches it: AWS Lambda Developer Guide, "Log and monitor Node.js Lambda functions".
import { describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import { nodes } from "./interpreters.ts";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

const CODE = `
console.log("loading");
exports.handler = async (event) => {
  if (event.lines) for (let i = 0; i < event.lines; i++) console.log("line %d", i);
  if (event.levels) for (const level of ["trace", "debug", "info", "warn", "error", "fatal"]) console[level](level);
  if (event.shapes) {
    console.log({ a: 1 });
    console.log("two", { b: [1, 2] });
    console.log("first\\nsecond");
    console.log(new RangeError("alone"));
    console.error("failed:", new TypeError("with text"));
    const circular = {}; circular.self = circular;
    console.log(circular);
    console.log();
    console.table([{ a: 1 }]);
  }
  if (event.streams) { process.stdout.write("raw out\\n"); process.stderr.write("raw err\\n"); }
  if (event.fail) throw new RangeError("out of range");
  return "done";
};`;

const files = { "index.js": CODE };
const JSON_LOGS = { logFormat: "JSON" };

function records(lines: readonly string[]): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each(nodes())("$name", (node) => {
  const outside = node.major >= 24 ? "-" : "undefined";

  it("writes text lines in order, and the response after them", async () => {
    await withGuest(node, { files }, async (guest) => {
      expect(guest.initLogs).toHaveLength(1);
      expect(guest.initLogs[0]).toMatch(
        new RegExp(`^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z\\t${outside}\\tINFO\\tloading$`),
      );
      const { value, logs } = await guest.invoke({ lines: 10_000 });
      expect(value).toBe("done");
      expect(logs).toHaveLength(10_000);
      expect(logs.findIndex((line, index) => !line.endsWith(`\trequest-1\tINFO\tline ${index}`))).toBe(-1);
    });
  });

  it("keeps one call one event, whatever its arguments", async () => {
    await withGuest(node, { files }, async (guest) => {
      const { logs } = await guest.invoke({ shapes: true });
      const texts = logs.map((line) => line.split("\t").slice(3).join("\t"));
      expect(texts.slice(0, 3)).toEqual(["{ a: 1 }", "two { b: [ 1, 2 ] }", "first\nsecond"]);
      expect(texts[3]).toMatch(/^RangeError: alone\n {4}at /);
      expect(texts[4]).toMatch(/^failed: TypeError: with text\n {4}at /);
      expect(texts[5]).toBe("<ref *1> { self: [Circular *1] }");
      expect(texts[6]).toBe("undefined");
      expect(texts[7]).toMatch(/^┌.*\n│ \(index\) │ a │\n/);
      expect(logs.join("\n")).not.toContain("guest/nodejs");
    });
  });

  it("leaves what is written to the streams themselves to the platform", async () => {
    await withGuest(node, { files }, async (guest) => {
      expect((await guest.invoke({ streams: true })).logs).toEqual([]);
      await guest.exited();
      expect(guest.stdout).toBe("raw out\n");
      expect(guest.stderr).toBe("raw err\n");
    });
  });

  it.each([undefined, "DEBUG", "WARN", "FATAL"])(
    "shows what reaches the application log level %s",
    async (level) => {
      const init = { ...JSON_LOGS, ...(level === undefined ? {} : { applicationLogLevel: level }) };
      await withGuest(node, { files, init }, async (guest) => {
        const shown = records((await guest.invoke({ levels: true })).logs);
        const expected = LEVELS.slice(Math.max(0, LEVELS.indexOf(level ?? "TRACE")));
        expect(shown.map((record) => record["level"])).toEqual(expected);
        expect(shown.map((record) => record["message"])).toEqual(expected.map((name) => name.toLowerCase()));
      });
    },
  );

  it("writes JSON records", async () => {
    await withGuest(node, { files, init: JSON_LOGS }, async (guest) => {
      const { logs } = await guest.invoke({ shapes: true }, { tenantId: "blue" });
      const [object, two, lines, alone, text, circular, none] = records(logs);
      const common = {
        timestamp: expect.stringMatching(/^\d{4}-.+\.\d{3}Z$/) as string,
        level: "INFO",
        requestId: "request-1",
        tenantId: "blue",
      };
      expect(object).toEqual({ ...common, message: { a: 1 } });
      expect(two).toEqual({ ...common, message: "two { b: [ 1, 2 ] }" });
      expect(lines).toEqual({ ...common, message: "first\nsecond" });
      expect(alone).toMatchObject({
        message: {
          errorType: "RangeError",
          errorMessage: "alone",
          stackTrace: expect.any(Array) as string[],
        },
      });
      expect(text).toMatchObject({
        level: "ERROR",
        message: expect.stringMatching(/^failed: TypeError: with text\n/) as string,
        errorType: "TypeError",
        errorMessage: "with text",
        stackTrace: expect.arrayContaining(["TypeError: with text"]) as string[],
      });
      expect(circular).toEqual({ ...common, message: "<ref *1> { self: [Circular *1] }" });
      expect(none).toEqual(common);
      expect(logs.join("\n")).not.toContain("guest/nodejs");
    });
  });

  it("logs a failure as a JSON record", async () => {
    await withGuest(node, { files, init: JSON_LOGS }, async (guest) => {
      const { value, logs } = await guest.invoke({ fail: true });
      const { errorType, errorMessage, trace } = value as Record<string, unknown>;
      expect(records(logs)).toMatchObject([
        { level: "ERROR", requestId: "request-1", message: { errorType, errorMessage, stackTrace: trace } },
      ]);
    });
  });
});
