import { describe, expect, it } from "vitest";
import { createModels } from "../../schema/load.ts";
import type { Member } from "../../schema/model.ts";
import { headerReader, headerWriter } from "./headers.ts";
import { restJson } from "./rest-json.ts";
import { formatTimestamp, parseTimestamp } from "./timestamps.ts";
import { parseQuery, parseUriTemplate } from "./uri.ts";

const lambda = createModels().get("lambda");

describe("timestamps", () => {
  it.each([
    ["date-time", "2026-01-02T03:04:05Z", 1_767_323_045_000],
    ["date-time", "2026-01-02T04:04:05.250+01:00", 1_767_323_045_250],
    ["http-date", "Fri, 02 Jan 2026 03:04:05 GMT", 1_767_323_045_000],
    ["http-date", "Fri, 02 Jan 2026 03:04:05.25 GMT", 1_767_323_045_250],
    ["epoch-seconds", "1767323045.25", 1_767_323_045_250],
  ] as const)("read %s %s", (format, text, ms) => {
    expect(parseTimestamp(text, format)?.getTime()).toBe(ms);
  });

  it.each([
    ["date-time", "2026-13-02T03:04:05Z"],
    ["date-time", "2026-01-02"],
    ["http-date", "yesterday"],
    ["epoch-seconds", "1e3"],
    ["epoch-seconds", "999999999999999"],
  ] as const)("refuse %s %s", (format, text) => {
    expect(parseTimestamp(text, format)).toBeUndefined();
  });

  it("are written as they are read", () => {
    const date = new Date(1_767_323_045_000);
    for (const format of ["date-time", "http-date", "epoch-seconds"] as const)
      expect(parseTimestamp(formatTimestamp(date, format), format)).toEqual(date);
  });
});

describe("addresses", () => {
  it("parse templates", () => {
    expect(parseUriTemplate("/{Bucket}/{Key+}?x-id=GetObject&acl")).toEqual({
      segments: [
        { kind: "label", name: "Bucket" },
        { kind: "greedy", name: "Key" },
      ],
      query: [
        ["x-id", "GetObject"],
        ["acl", ""],
      ],
    });
  });

  it("decode queries", () => {
    expect(parseQuery("a=1+2&b=%C3%A9&c&=d&&a=3")).toEqual([
      ["a", "1 2"],
      ["b", "é"],
      ["c", ""],
      ["", "d"],
      ["a", "3"],
    ]);
    expect(parseQuery("a=%C3%28")).toBeUndefined();
  });
});

describe("lists in headers", () => {
  const member = (kind: "string" | "timestamp"): Member => {
    const element: Member = {
      name: "member",
      shape: { kind, name: "", traits: {} },
      traits: {},
      required: false,
      constraints: undefined,
    };
    return { ...element, name: "List", shape: { kind: "list", name: "List", traits: {}, member: element } };
  };

  it("quote what holds commas", () => {
    const values = ["a", "b, c", 'd "e"', String.raw`f\, "g"`];
    expect(headerReader(member("string"))(headerWriter(member("string"))(values))).toEqual(values);
  });

  it("keep the comma of a date", () => {
    const dates = [new Date(0), new Date(86_400_000)];
    expect(headerReader(member("timestamp"))(headerWriter(member("timestamp"))(dates))).toEqual(dates);
  });
});

describe("Invoke", () => {
  const invoke = lambda.operations.get("Invoke");
  if (invoke === undefined) throw new Error("no Invoke");

  it("hands the payload on as the bytes that came", () => {
    const body = Buffer.from('{"a":1}');
    const input = restJson.deserialise(lambda, invoke, {
      method: "POST",
      path: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Af/invocations",
      query: "Qualifier=live",
      headers: { "x-amz-log-type": "Tail" },
      body,
    });
    expect(input).toEqual({
      FunctionName: "arn:aws:lambda:eu-west-1:123456789012:function:f",
      Qualifier: "live",
      LogType: "Tail",
      Payload: body,
    });
    expect(input["Payload"]).toBe(body);
  });

  it("answers with the status and headers of the output", () => {
    const payload = Buffer.from('"ok"');
    const response = restJson.serialise(
      lambda,
      invoke,
      { StatusCode: 202, FunctionError: "Unhandled", ExecutedVersion: "$LATEST", Payload: payload },
      "id",
    );
    expect(response).toEqual({
      status: 202,
      headers: {
        "content-type": "application/octet-stream",
        "x-amz-function-error": "Unhandled",
        "x-amz-executed-version": "$LATEST",
        "x-amzn-requestid": "id",
      },
      body: payload,
    });
  });
});
