// What goes wrong in Java functions, in AWS's words (EventHandlerLoader, UserFault and AWSLambda of
// aws-lambda-java-runtime-interface-client), and which of it ends the environment.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withGuest } from "./guest.ts";
import type { ErrorDocument } from "./guest.ts";
import { JavaPackage, jdks } from "./jdk.ts";

const SOURCES = {
  "example/Failing.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
import java.util.*;
public class Failing implements RequestHandler<Map<String, Object>, Object> {
  @Override public Object handleRequest(Map<String, Object> event, Context context) {
    System.out.println("before");
    System.out.print("without newline");
    String what = (String) event.get("case");
    if (what.equals("throw")) throw new IllegalStateException("no luck", new RuntimeException("deeper"));
    if (what.equals("no message")) throw new UnsupportedOperationException();
    if (what.equals("memory")) { List<long[]> all = new ArrayList<>(); while (true) all.add(new long[1 << 20]); }
    if (what.equals("stack")) return handleRequest(event, context);
    if (what.equals("exit")) System.exit((Integer) event.get("status"));
    if (what.equals("halt")) Runtime.getRuntime().halt(9);
    if (what.equals("interrupt")) Thread.currentThread().interrupt();
    if (what.equals("thread")) { Thread t = new Thread(() -> { throw new RuntimeException("in a thread"); }); t.start(); try { t.join(); } catch (InterruptedException e) {} }
    return "fine";
  }
  public Object named(Map<String, Object> event) { throw new IllegalStateException("no luck"); }
  public Object tooMany(String a, String b, String c) { return null; }
  private Object hidden(String a) { return null; }
}`,
  "example/Plain.java": `package example; public class Plain { public Plain(int x) {} public String handle(String s) { return s; } }`,
  "example/Outer.java": `package example; public class Outer { public class Inner { public String handle(String s) { return s; } } }`,
  "example/BadConstructor.java": `package example; public class BadConstructor { public BadConstructor() { throw new IllegalArgumentException("not today"); } public String handle(String s) { return s; } }`,
  "example/BadStatic.java": `package example; public class BadStatic { static { if (true) throw new IllegalArgumentException("not today"); } public static String handle(String s) { return s; } }`,
  "example/Exits.java": `package example; public class Exits { static { System.out.print("so long"); System.exit(3); } public static String handle(String s) { return s; } }`,
  "example/Generic.java": `package example;
import com.amazonaws.services.lambda.runtime.*;
public class Generic<T> implements RequestHandler<T, String> { public String handleRequest(T t, Context c) { return ""; } }`,
};

describe.each(await jdks())("$name", (jdk) => {
  if (jdk.path === undefined) {
    it.skip("is not on this host");
    return;
  }

  let code: JavaPackage;
  let bare: JavaPackage;
  beforeAll(() => {
    code = new JavaPackage(jdk, SOURCES);
    bare = new JavaPackage(jdk, SOURCES, { core: false });
  });
  afterAll(() => {
    code.remove();
    bare.remove();
  });

  it.each([
    ["an empty method", "example.Failing::", "Invalid handler: `example.Failing::'", undefined],
    [
      "a class that is not there",
      "example.Absent",
      "Class not found: example.Absent",
      "java.lang.ClassNotFoundException",
    ],
    [
      "a class without either interface",
      "example.BadStatic$1",
      "Class not found: example.BadStatic$1",
      "java.lang.ClassNotFoundException",
    ],
    [
      "a class that is no handler",
      "example.Plain",
      "Class does not implement an appropriate handler interface: example.Plain",
      undefined,
    ],
    [
      "a method that is not there",
      "example.Failing::absent",
      "No public method named absent with appropriate method signature found on class example.Failing",
      undefined,
    ],
    [
      "a method that is not public",
      "example.Failing::hidden",
      "No public method named hidden with appropriate method signature found on class example.Failing",
      undefined,
    ],
    [
      "a method with another signature",
      "example.Failing::tooMany",
      "No public method named tooMany with appropriate method signature found on class example.Failing",
      undefined,
    ],
    [
      "a class without such a constructor",
      "example.Plain::handle",
      "Class example.Plain has no public zero-argument constructor",
      "java.lang.Exception",
    ],
    [
      "an inner class",
      "example.Outer$Inner::handle",
      "Class example.Outer$Inner cannot be instantiated because it is a non-static inner class",
      "java.lang.Exception",
    ],
    [
      "a class with an open type",
      "example.Generic",
      "Class example.Generic does not implement RequestHandler with concrete type parameters: parameter T has no upper bound.",
      undefined,
    ],
  ])("tells every event of %s", async (_what, handler, errorMessage, errorType) => {
    await withGuest(jdk, { folder: code.folder, handler }, async (guest) => {
      expect(guest.initError).toBeUndefined();
      for (let i = 0; i < 2; i++) {
        const { kind, header, value, logs } = await guest.invoke({});
        expect({ kind, exit: header["exit"] }).toEqual({ kind: "error", exit: false });
        expect(value).toEqual(errorType === undefined ? { errorMessage } : { errorMessage, errorType });
        expect(logs.at(-1)?.startsWith(errorMessage)).toBe(true);
        expect(logs.join("\n")).not.toContain("thaw.runtime");
      }
    });
  });

  it.each([
    ["constructor", "example.BadConstructor::handle", "not today", "java.lang.IllegalArgumentException"],
    [
      "static initialiser",
      "example.BadStatic::handle",
      "Error loading class example.BadStatic",
      "java.lang.ExceptionInInitializerError",
    ],
  ])("fails at init where a %s throws", async (_what, handler, errorMessage, errorType) => {
    await withGuest(jdk, { folder: code.folder, handler }, async (guest) => {
      const told = guest.initError as ErrorDocument;
      expect(told).toEqual({ errorMessage, errorType });
      expect(guest.initLogs[0]?.split("\n")[0]).toBe(`${errorMessage}: ${errorType}`);
      expect(guest.initLogs[0]).toContain("not today");
      expect(guest.initLogs[0]).not.toContain("thaw.runtime");
      expect(await guest.exited()).toBe(1);
    });
  });

  it("ends at the first event where aws-lambda-java-core is not in the package", async () => {
    await withGuest(jdk, { folder: bare.folder, handler: "example.Failing" }, async (guest) => {
      expect(await guest.invoke({})).toMatchObject({
        kind: "error",
        header: { exit: true },
        value: {
          errorMessage:
            "Error loading class example.Failing: com/amazonaws/services/lambda/runtime/RequestHandler",
          errorType: "java.lang.NoClassDefFoundError",
        },
      });
    });
    await withGuest(jdk, { folder: bare.folder, handler: "example.Outer" }, async (guest) => {
      expect((await guest.invoke({})).value).toEqual({
        errorMessage: "Class does not implement an appropriate handler interface: example.Outer",
      });
    });
  });

  it("tells an exception and its causes: the frames of the function alone", async () => {
    await withGuest(jdk, { folder: code.folder, handler: "example.Failing" }, async (guest) => {
      const { header, value, logs } = await guest.invoke({ case: "throw" });
      expect(header["exit"]).toBe(false);
      const stackTrace = [
        expect.stringMatching(/^example\.Failing\.handleRequest\(Failing\.java:9\)$/) as string,
      ];
      const bridge = expect.stringMatching(/^example\.Failing\.handleRequest\(Failing\.java:4\)$/) as string;
      expect(value).toEqual({
        errorMessage: "no luck",
        errorType: "java.lang.IllegalStateException",
        stackTrace: [...stackTrace, bridge],
        cause: {
          errorMessage: "deeper",
          errorType: "java.lang.RuntimeException",
          stackTrace: expect.arrayContaining(stackTrace) as string[],
        },
      });
      expect(logs.join("\n")).not.toContain("thaw.runtime");
      const report = logs.find((line) => line.startsWith("no luck: ")) as string;
      expect(report.split("\n").slice(0, 3)).toEqual([
        "no luck: java.lang.IllegalStateException",
        "java.lang.IllegalStateException: no luck",
        "\tat example.Failing.handleRequest(Failing.java:9)",
      ]);
      expect((await guest.invoke({ case: "no message" })).value).toMatchObject({
        errorMessage: "java.lang.UnsupportedOperationException",
        errorType: "java.lang.UnsupportedOperationException",
      });
      // Nothing of it hurts the next event.
      expect((await guest.invoke({ case: "interrupt" })).value).toBe("fine");
      expect((await guest.invoke({ case: "thread" })).logs.join("\n")).toContain(
        "RuntimeException: in a thread",
      );
      expect((await guest.invoke({ case: "none" })).value).toBe("fine");
    });
  });

  it.each([
    ["memory", "java.lang.OutOfMemoryError", "Java heap space"],
    ["stack", "java.lang.StackOverflowError", "java.lang.StackOverflowError"],
  ])("is not used again after it ran out of %s", async (name, errorType, errorMessage) => {
    await withGuest(jdk, { folder: code.folder, handler: "example.Failing" }, async (guest) => {
      const outcome = await guest.invoke({ case: name });
      expect(outcome).toMatchObject({
        kind: "error",
        header: { exit: true },
        value: { errorType, errorMessage },
      });
      expect(await guest.exited()).toBe(1);
    });
  });

  it.each([
    ["exit", 0, ["before", "without newline"]],
    ["exit", 7, ["before", "without newline"]],
    ["halt", 9, ["before"]],
  ])("has sent every line when the function ends the process: %s %s", async (name, status, lines) => {
    await withGuest(jdk, { folder: code.folder, handler: "example.Failing" }, async (guest) => {
      expect(await guest.invoke({ case: name, status })).toMatchObject({ kind: "exit", logs: lines });
      expect(await guest.exited()).toBe(status);
    });
  });

  it("ends without an init-error when the class exits while loading", async () => {
    await withGuest(jdk, { folder: code.folder, handler: "example.Exits::handle" }, async (guest) => {
      expect(guest.initError).toBeNull();
      expect(guest.initLogs).toEqual(["so long"]);
      expect(await guest.exited()).toBe(3);
    });
  });
});
