import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../reply.ts";
import { parseSubscription } from "./subscription.ts";

const parse = (body: unknown): ReturnType<typeof parseSubscription> =>
  parseSubscription("Telemetry", Buffer.from(JSON.stringify(body)));

const destination = { protocol: "HTTP", URI: "http://sandbox.localdomain:8080/a?b=c" };

describe("a telemetry subscription", () => {
  it("has AWS's defaults", () => {
    expect(parse({ types: ["platform", "platform"], destination })).toEqual({
      api: "Telemetry",
      schemaVersion: "2022-07-01",
      types: ["platform"],
      destination: { protocol: "HTTP", port: 8080, path: "/a?b=c", method: "POST" },
      maxItems: 10_000,
      maxBytes: 262_144,
      timeoutMs: 1000,
    });
  });

  it.each([
    [{ destination }, "types should not be empty"],
    [{ types: ["all"], destination }, "types must be platform, function or extension"],
    [{ types: ["platform"] }, "destination protocol must be HTTP or TCP"],
    [
      { types: ["platform"], destination: { ...destination, URI: "http://sandbox.localdomain/" } },
      "URI port is not provided",
    ],
    [
      { types: ["platform"], destination: { ...destination, URI: "http://169.254.169.254:81/" } },
      "URI host must be sandbox.localdomain",
    ],
    [
      { types: ["platform"], destination: { ...destination, URI: "http://sandbox.localdomain:9001/" } },
      "URI port is reserved",
    ],
    [
      { types: ["platform"], destination, buffering: { timeoutMs: 1 } },
      "timeoutMs must be between 25 and 30000",
    ],
    [{ types: ["platform"], destination, schemaVersion: "2021-03-18" }, "schemaVersion is not supported"],
  ])("is refused: %j", (body, message) => {
    expect(() => parse(body)).toThrow(new ApiError(400, "Telemetry.ValidationError", message));
  });

  it("is read or refused, whatever it is", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parse(value);
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError);
        }
      }),
    );
  });
});
