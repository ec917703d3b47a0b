import { describe, expect, it } from "vitest";
import { signalOfStatus, signalText } from "./signals.ts";

describe("the signal of an exit status", () => {
  it("has its usual name, where it has two", () => {
    expect([129, 134, 137, 139].map(signalOfStatus)).toEqual(["SIGHUP", "SIGABRT", "SIGKILL", "SIGSEGV"]);
  });

  it("is none of a status that a program gave, or of none", () => {
    expect([0, 1, 128, 255, undefined].map(signalOfStatus)).toEqual(Array(5).fill(undefined));
  });

  it("is told in Go's words", () => {
    expect(["SIGABRT", "SIGALRM", "SIGXCPU", "SIGWINCH"].map(signalText)).toEqual([
      "aborted",
      "alarm clock",
      "CPU time limit exceeded",
      "window changed",
    ]);
  });
});
