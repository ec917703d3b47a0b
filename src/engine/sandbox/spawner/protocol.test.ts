import { describe, expect, it } from "vitest";
import { parseRequest } from "./protocol.ts";

describe("the spawner's requests", () => {
  it("are taken as they are told", () => {
    const start = {
      kind: "start",
      id: "e1",
      argv: ["bwrap"],
      inherit: undefined,
      secret: ["--x"],
      recalls: undefined,
      own: undefined,
    };
    expect(parseRequest({ ...start, more: 1 })).toEqual(start);
    expect(parseRequest({ kind: "run", seq: 1, argv: ["mount", "a"] })).toEqual({
      kind: "run",
      seq: 1,
      argv: ["mount", "a"],
    });
    expect(parseRequest({ kind: "unstage", seq: 2, source: "/code/a" })).toEqual({
      kind: "unstage",
      seq: 2,
      source: "/code/a",
    });
  });

  it.each([
    undefined,
    "start",
    {},
    { kind: "other" },
    { kind: "go", id: "../x" },
    { kind: "kill", id: "" },
    { kind: "run", seq: 1, argv: [] },
    { kind: "run", seq: 1, argv: ["a\0b"] },
    { kind: "stage", seq: 1, source: "relative" },
    { kind: "unstage", seq: 1, source: "../x" },
    { kind: "bind", seq: 1, id: "e", tree: "/a\0", at: "task" },
    { kind: "bind", seq: "1", id: "e", tree: "/a", at: "task" },
    { kind: "bind", seq: 1, id: "e", tree: "/a", at: "../x" },
    { kind: "start", id: "e", argv: ["a"], secret: ["b"], own: { path: "/x", uid: 0 } },
  ])("are refused where they are not: %j", (value) => {
    expect(() => parseRequest(value)).toThrow();
  });
});
