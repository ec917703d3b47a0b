import { expect, it } from "vitest";
import { encodeSpans } from "./spans-out.ts";
import { listOf } from "./values.ts";

const TRACE = "1-5759e988-bd862e3fe1be46a994272793";

/** Names and parents of the spans of one document. */
function spansOf(document: object) {
  const segment = {
    account: "000000000000",
    region: "us-east-1",
    sender: "",
    document: JSON.stringify(document),
  };
  return listOf(encodeSpans([segment])["resourceSpans"]).flatMap(({ scopeSpans }) =>
    listOf(scopeSpans).flatMap(({ spans }) =>
      listOf(spans).map(({ name, parentSpanId, startTimeUnixNano }) => [
        name,
        parentSpanId,
        startTimeUnixNano,
      ]),
    ),
  );
}

it("leaves out what OTLP has no form for, and tells what lies in it", () => {
  const timed = { start_time: 1, end_time: 2 };
  const inner = { ...timed, id: "2222222222222222", name: "inner" };
  const late = { id: "3333333333333333", name: "late", start_time: 1e30, end_time: 1e30 };
  const odd = { ...timed, id: "odd", name: "odd", subsegments: [inner] };
  const top = { ...timed, id: "1111111111111111", trace_id: TRACE, name: "top", parent_id: "none" };
  expect(spansOf({ ...top, subsegments: [odd, late] })).toEqual([
    ["top", undefined, "1000000000"],
    ["inner", "1111111111111111", "1000000000"],
  ]);
  expect(spansOf({ ...top, trace_id: "1-2-3" })).toEqual([]);
});
