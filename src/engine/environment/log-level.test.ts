import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { LoggingSpec } from "../contract.ts";
import { levelFilter } from "./log-level.ts";

const logging = (applicationLevel: LoggingSpec["applicationLevel"], format: "JSON" | "Text" = "JSON") =>
  ({ group: "/g", format, applicationLevel, systemLevel: "INFO" }) satisfies LoggingSpec;

it.each([
  ['{"level":"debug","msg":"m"}\n', false],
  ['{"msg":"m", "level" : "Info"}\n', false],
  ['{"level":"WARNING"}\n', true],
  ['{"level":"critical"}\n', true],
  ['{"level":"odd"}\n', true],
  ['{"level":30}\n', true],
  ['{"level":"ERROR","cause":{"level":"DEBUG"}}\n', true],
  ['{"cause":{"level":"ERROR"},"level":"DEBUG"}\n', false],
  ['{"level":"DEBUG"\n', true],
  ['text with "level":"DEBUG"\n', true],
  ["\n", true],
])("at WARN, %j: %j", (line, kept) => {
  expect(levelFilter(logging("WARN"))?.(line)).toBe(kept);
});

it("lets everything pass in text, and at the lowest level", () => {
  expect(levelFilter(logging("WARN", "Text"))).toBeUndefined();
  expect(levelFilter(logging("TRACE"))).toBeUndefined();
  expect(levelFilter(logging(undefined))).toBeUndefined();
});

it("takes any line", () => {
  const admits = levelFilter(logging("FATAL"));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      expect(typeof admits?.(line)).toBe("boolean");
      expect(admits?.(`{"level":"FATAL","text":${JSON.stringify(line)}}`)).toBe(true);
    }),
  );
});
