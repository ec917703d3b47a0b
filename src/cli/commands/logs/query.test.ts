import { expect, it } from "vitest";
import { rowOf, tableOf } from "./query.ts";

const row = (fields: Record<string, string>) =>
  rowOf(Object.entries(fields).map(([field, value]) => ({ field, value })));

it("shows rows under the names of their fields, each of which may lack some", () => {
  const rows = [
    row({ "bin(5m)": "12:00", "count(*)": "3", "@ptr": "x" }),
    row({ "bin(5m)": "12:05", level: "ERROR" }),
  ];
  expect(tableOf(rows, undefined)).toEqual([
    "bin(5m)  count(*)  level",
    "12:00    3",
    "12:05              ERROR",
  ]);
});

it("lets no message break a line or the terminal", () => {
  const rows = [row({ "@message": "REPORT\tx\u001b[2J\nnext\n" })];
  expect(tableOf(rows, undefined)[1]).toBe("REPORT  x next");
  expect(tableOf(rows, 9)[1]).toBe("REPORT  …");
});
