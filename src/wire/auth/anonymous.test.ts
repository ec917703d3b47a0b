import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { isUnsigned, unsignedPayload } from "./anonymous.ts";

const request = (headers: Record<string, string>, body: Buffer | Readable) => ({
  method: "PUT",
  path: "/bucket/k",
  query: "",
  headers,
  body,
  remoteAddress: "10.0.0.7",
});

const whole = async (body: Buffer | Readable) =>
  (Buffer.isBuffer(body) ? body : await buffer(body)).toString();

describe("requests without a signature", () => {
  it.each([
    [{}, "list-type=2", true],
    [{}, "prefix=X-Amz-Signature", true],
    [{ authorization: "AWS4-HMAC-SHA256 …" }, "", false],
    [{ "x-amz-security-token": "t" }, "", false],
    [{}, "X-Amz-Credential=c", false],
    [{}, "a=b&x-amz-signature=s", false],
    [{}, "AWSAccessKeyId=AKIA&Expires=1", false],
  ])("%j ?%s: %j", (headers, query, expected) => expect(isUnsigned({ headers, query })).toBe(expected));
});

describe("their payload", () => {
  it("is what came, where nothing is said of it", () => {
    const body = Buffer.from("x");
    expect(unsignedPayload(request({}, body))).toEqual({ body, trailers: {} });
    expect(unsignedPayload(request({ "x-amz-content-sha256": "UNSIGNED-PAYLOAD" }, body)).body).toBe(body);
  });

  it("is checked against the hash that it came with", async () => {
    const headers = { "x-amz-content-sha256": createHash("sha256").update("right").digest("hex") };
    for (const bytes of [Buffer.from("right"), Readable.from([Buffer.from("right")])])
      expect(await whole(unsignedPayload(request(headers, bytes)).body)).toBe("right");
    const wrong = unsignedPayload(request(headers, Buffer.from("wrong"))).body;
    await expect(whole(wrong)).rejects.toMatchObject({ code: "XAmzContentSHA256Mismatch" });
  });

  it("has its framing taken off, and its trailers read", async () => {
    const headers = {
      "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      "x-amz-decoded-content-length": "5",
    };
    const framed = Buffer.from("5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n");
    for (const bytes of [framed, Readable.from([framed.subarray(0, 4), framed.subarray(4)])]) {
      const { body, trailers } = unsignedPayload(request(headers, bytes));
      expect(await whole(body)).toBe("hello");
      expect(trailers).toEqual({ "x-amz-checksum-crc32": "AAAAAA==" });
    }
  });

  it("is refused where only a signature could check it, or it says nonsense", () => {
    for (const claimed of ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "nonsense"]) {
      const headers = { "x-amz-content-sha256": claimed, "x-amz-decoded-content-length": "1" };
      expect(() => unsignedPayload(request(headers, Buffer.from("x")))).toThrow(
        expect.objectContaining({ name: "AwsError" }),
      );
    }
  });
});
