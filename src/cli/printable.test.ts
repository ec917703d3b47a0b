import { describe, expect, it } from "vitest";
import { table } from "./output.ts";
import { clip, columnsOf, jsonLine, printable, printableLines } from "./printable.ts";

describe("text that somebody else wrote", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007shown", "shown"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u009b2Jgone", "gone"],
    ["\u001bcreset", "reset"],
    ["a\tb\u0000c\bd\re", "a\tb c d e"],
    ["abc\u202edef", "abc def"],
    ["plain ü 語", "plain ü 語"],
  ])("%j reaches the terminal as %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it("keeps its lines, each of them harmless", () => {
    expect(printableLines("one\r\ntwo\u001b[2K\n\nfour\n")).toEqual(["one", "two", "", "four"]);
  });

  it("is the same JSON, with escapes for what is no letter", () => {
    const value = { text: "\u001b[31m\u009b1m\u202e\u007f ü" };
    expect(jsonLine(value)).toBe('{"text":"\\u001b[31m\\u009b1m\\u202e\\u007f ü"}');
    expect(JSON.parse(jsonLine(value))).toEqual(value);
  });
});

describe("columns", () => {
  it("are what a terminal gives to letters", () => {
    expect(["abc", "äöü", "語", "🙂", "e\u0301"].map((text) => columnsOf(text))).toEqual([3, 3, 2, 2, 1]);
  });

  it("clips to them", () => {
    expect([clip("abcdef", 6), clip("abcdef", 4), clip("語語語", 4), clip("abc", 0)]).toEqual([
      "abcdef",
      "abc…",
      "語…",
      "",
    ]);
  });

  it("of a table are clipped where the terminal is narrow, the widest first", () => {
    const rows = [
      ["name", "message"],
      ["語", "x".repeat(40)],
    ];
    expect(table(rows)[1]).toBe(`語    ${"x".repeat(40)}`);
    expect(table(rows, 20)).toEqual(["name  message", `語    ${"x".repeat(13)}…`]);
  });

  it("of a table never get narrower than can be read", () => {
    const rows = [["a".repeat(30), "b".repeat(20), "c".repeat(10)]];
    expect(table(rows, 10)).toEqual([`${"a".repeat(7)}…  ${"b".repeat(7)}…  ${"c".repeat(7)}…`]);
    expect(columnsOf(table(rows, 40)[0] ?? "")).toBe(40);
  });
});
