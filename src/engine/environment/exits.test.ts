import { describe, expect, it } from "vitest";
import { exitText, MAX_RESPONSE_BYTES } from "../invocation/errors.ts";
import type { ExtensionView } from "../runtime-api/extensions.ts";
import { exitOf, extensionFailure, runtimeEnd } from "./exits.ts";

const extension: ExtensionView = {
  name: "ext",
  external: true,
  events: [],
  state: "Ready",
  ready: true,
  errorType: undefined,
};

describe("the end of a process, in the words of Go's os/exec", () => {
  it.each([
    [1, "exit status 1"],
    [200, "exit status 200"],
    [128 + 6, "signal: aborted"],
    [128 + 9, "signal: killed"],
    [128 + 10, "signal: user defined signal 1"],
    [128 + 11, "signal: segmentation fault"],
    [128 + 31, "signal: bad system call"],
  ])("of status %i is %s", (status, text) => {
    expect(exitText(exitOf(status))).toBe(`Runtime exited with error: ${text}`);
    expect(extensionFailure(extension, status)).toEqual({ errorType: "Extension.Crash", message: text });
  });
});

describe("what is told of a runtime's part in an event", () => {
  it.each([
    [MAX_RESPONSE_BYTES, { status: "success" }],
    // As Invoke answers, and REPORT tells.
    [MAX_RESPONSE_BYTES + 1, { status: "error", errorType: "Function.ResponseSizeTooLarge" }],
  ])("that ends with a response of %i bytes", (bytes, end) => {
    expect(runtimeEnd({ kind: "response", payload: Buffer.alloc(bytes), maxRssKb: 0 })).toEqual(end);
  });
});
