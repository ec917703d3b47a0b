import { expect, it } from "vitest";
import { traceOfBatch } from "./batch-trace.ts";

const ROOT = (digit: number) => `1-5759e988-${String(digit).repeat(24)}`;
const PARENT = "53995c3f42cd8ad8";

it("is a new one, linked to those of its records that are recorded, and keeps the lineage", () => {
  const headers = [
    `Root=${ROOT(1)};Parent=${PARENT};Sampled=1;Lineage=1:a:1`,
    undefined,
    `Root=${ROOT(1)};Parent=${PARENT};Sampled=1`,
    `Root=${ROOT(2)};Sampled=0`,
    `Root=${ROOT(3)};Sampled=1`,
  ];
  expect(traceOfBatch(headers, `Root=${ROOT(1)};Sampled=1;Lineage=1:a:2`)).toEqual({
    header: "Sampled=1;Lineage=1:a:2",
    links: [{ trace_id: ROOT(1), id: PARENT }, { trace_id: ROOT(3) }],
  });
});

it.each([
  [[undefined], undefined],
  [[`Root=${ROOT(1)}`], undefined],
  [[`Root=${ROOT(1)};Sampled=0`, undefined], "Sampled=0"],
])("is recorded as %j decide: %s", (headers, header) => {
  expect(traceOfBatch(headers, undefined)).toEqual({ header, links: [] });
});

it("is linked to twenty at most", () => {
  const headers = Array.from({ length: 30 }, (_, index) => {
    const parent = String(index).padStart(16, "0");
    return `Root=${ROOT(1)};Parent=${parent};Sampled=1`;
  });
  expect(traceOfBatch(headers, undefined).links).toHaveLength(20);
});
