// System.out and LambdaLogger as Lambda sets them up: AWS Lambda Developer Guide, "Log and monitor Java Lambda functions".
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import { JavaPackage, jdks } from "./jdk.ts";

const SOURCES = {
  "example/Logs.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import com.amazonaws.services.lambda.runtime.logging.LogLevel;
import java.io.*;
import java.util.*;
public class Logs implements RequestHandler<Map<String, Integer>, String> {
  static { System.out.println("loading"); }
  @Override public String handleRequest(Map<String, Integer> event, Context context) {
    LambdaLogger log = context.getLogger();
    if (event.containsKey("lines")) for (int i = 0; i < event.get("lines"); i++) System.out.println("line " + i);
    if (event.containsKey("shapes")) {
      System.out.println("first\\nsecond\\u00e9");
      System.out.print("no ");
      log.log("one\\ntwo\\n");
      System.err.println("to stderr");
      System.out.print("newline");
      log.log("bytes".getBytes());
      LambdaRuntime.getLogger().log("global");
    }
    if (event.containsKey("levels")) {
      for (LogLevel level : LogLevel.values()) log.log("at " + level, level);
      log.log("bytes".getBytes(), LogLevel.DEBUG);
    }
    if (event.containsKey("threads")) {
      List<Thread> threads = new ArrayList<>();
      for (int n = 0; n < 4; n++) { Thread t = new Thread(() -> { for (int i = 0; i < 500; i++) log.log("thread"); }); t.start(); threads.add(t); }
      for (Thread t : threads) try { t.join(); } catch (InterruptedException e) {}
    }
    if (event.containsKey("fail")) throw new IllegalStateException("no luck");
    return "done";
  }
}`,
};

describe.each(await jdks())("$name", (jdk) => {
  if (jdk.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  let code: JavaPackage;
  beforeAll(() => {
    code = new JavaPackage(jdk, SOURCES);
  });
  afterAll(() => code.remove());
  const open = (init: Record<string, unknown> = {}) => ({
    folder: code.folder,
    handler: "example.Logs",
    init,
  });

  it("prints line by line in order, and answers after them", async () => {
    await withGuest(jdk, open(), async (guest) => {
      expect(guest.initLogs).toEqual(["loading"]);
      const { value, logs } = await guest.invoke({ lines: 5000 });
      expect(value).toBe("done");
      expect(logs).toEqual(Array.from({ length: 5000 }, (_, index) => `line ${index}`));
      // What a logger is given is one event, however many lines it has.
      expect((await guest.invoke({ shapes: 1 })).logs).toEqual([
        "first",
        "secondé",
        "one\ntwo",
        "to stderr",
        "bytes",
        "global",
        "no newline",
      ]);
      const threads = (await guest.invoke({ threads: 1 })).logs;
      expect(threads).toHaveLength(2000);
      expect(new Set(threads)).toEqual(new Set(["thread"]));
    });
  });

  it.each([
    [
      undefined,
      [
        "at UNDEFINED",
        "[TRACE] at TRACE",
        "[DEBUG] at DEBUG",
        "[INFO] at INFO",
        "[WARN] at WARN",
        "[ERROR] at ERROR",
        "[FATAL] at FATAL",
        "bytes",
      ],
    ],
    ["WARN", ["at UNDEFINED", "[WARN] at WARN", "[ERROR] at ERROR", "[FATAL] at FATAL"]],
  ])("shows what reaches the application log level %s", async (applicationLogLevel, expected) => {
    await withGuest(jdk, open({ applicationLogLevel }), async (guest) => {
      expect((await guest.invoke({ levels: 1 })).logs).toEqual(expected);
    });
  });

  it("writes JSON records, and failures as one", async () => {
    await withGuest(jdk, open({ logFormat: "JSON", applicationLogLevel: "INFO" }), async (guest) => {
      const { logs } = await guest.invoke({ levels: 1, lines: 1 }, { tenantId: "blue" });
      expect(logs[0]).toBe("line 0");
      const records = logs.slice(1).map((line) => JSON.parse(line) as Record<string, unknown>);
      const common = {
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        AWSRequestId: "request-1",
        tenantId: "blue",
      };
      expect(records).toEqual(
        ["UNDEFINED", "INFO", "WARN", "ERROR", "FATAL"].map((level) => ({
          ...common,
          level,
          message: `at ${level}`,
        })),
      );
      const failed = JSON.parse((await guest.invoke({ fail: 1 })).logs[0] as string) as Record<
        string,
        string
      >;
      expect(failed).toMatchObject({ level: "ERROR", AWSRequestId: "request-2" });
      expect(failed["message"]).toMatch(/^no luck: java\.lang\.IllegalStateException\njava\.lang/);
    });
  });
});
