import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { rootPrincipal } from "#core/principal";
import { createAuthenticator } from "./authenticate.ts";
import type { AuthRequest, CredentialStore } from "./types.ts";

/** The key pairs of AWS's published examples. */
const secrets: Readonly<Record<string, string>> = {
  AKIAIOSFODNN7EXAMPLE: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  AKIDEXAMPLE: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
const credentials: CredentialStore = {
  lookup(accessKeyId) {
    const secretAccessKey = secrets[accessKeyId];
    if (secretAccessKey === undefined) return "unknown";
    return { secretAccessKey, principal: rootPrincipal("111122223333"), loopbackOnly: false };
  },
};

function authenticator(now: number) {
  return createAuthenticator({ credentials, clock: new ManualClock(now) });
}

const s3Time = Date.UTC(2013, 4, 24);
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function s3Request(part: Partial<AuthRequest> & { signedHeaders: string; signature: string }): AuthRequest {
  const { signedHeaders, signature, headers, ...rest } = part;
  return {
    method: "GET",
    path: "/",
    query: "",
    body: Buffer.alloc(0),
    remoteAddress: "192.0.2.1",
    ...rest,
    headers: {
      host: "examplebucket.s3.amazonaws.com",
      "x-amz-date": "20130524T000000Z",
      "x-amz-content-sha256": EMPTY,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`,
      ...headers,
    },
  };
}

describe("the examples of Amazon S3's API reference", () => {
  const authenticate = authenticator(s3Time);

  it.each([
    [
      "GET Object",
      s3Request({
        path: "/test.txt",
        headers: { range: "bytes=0-9" },
        signedHeaders: "host;range;x-amz-content-sha256;x-amz-date",
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
      }),
    ],
    [
      "PUT Object",
      s3Request({
        method: "PUT",
        path: "/test%24file.text",
        body: Buffer.from("Welcome to Amazon S3."),
        headers: {
          date: "Fri, 24 May 2013 00:00:00 GMT",
          "x-amz-storage-class": "REDUCED_REDUNDANCY",
          "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        },
        signedHeaders: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
      }),
    ],
    [
      "GET Bucket Lifecycle",
      s3Request({
        query: "lifecycle",
        signedHeaders: "host;x-amz-content-sha256;x-amz-date",
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
      }),
    ],
    [
      "GET Bucket (List Objects)",
      s3Request({
        query: "max-keys=2&prefix=J",
        signedHeaders: "host;x-amz-content-sha256;x-amz-date",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      }),
    ],
  ])("verifies %s", (_, request) => {
    expect(authenticate(request)).toMatchObject({ service: "s3", region: "us-east-1" });
  });

  it("verifies the presigned URL", () => {
    const request: AuthRequest = {
      method: "GET",
      path: "/test.txt",
      query:
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
      headers: { host: "examplebucket.s3.amazonaws.com" },
      body: Buffer.alloc(0),
      remoteAddress: "192.0.2.1",
    };
    expect(authenticate(request)).toMatchObject({ service: "s3" });
  });

  const chunked = s3Request({
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    headers: {
      host: "s3.amazonaws.com",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
      "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      "content-encoding": "aws-chunked",
      "x-amz-decoded-content-length": "66560",
      "content-length": "66824",
    },
    signedHeaders:
      "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
    signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  });
  const chunks = [
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${"a".repeat(65_536)}\r\n`,
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${"a".repeat(1024)}\r\n`,
    "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n",
  ];

  it("decodes the payload in multiple chunks", () => {
    const { body } = authenticate({ ...chunked, body: Buffer.from(chunks.join("")) }) as { body: Buffer };
    expect(body.toString()).toBe("a".repeat(66_560));
  });

  it("decodes it as it comes, however it is cut", async () => {
    for (const size of [1000, 65_536, 100_000]) {
      const bytes = Buffer.from(chunks.join(""));
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      const { body } = await authenticate({ ...chunked, body: Readable.from(pieces) });
      expect((await buffer(body as Readable)).toString()).toBe("a".repeat(66_560));
    }
  });

  it.each([
    ["a changed byte", chunks.join("").replace("aaa\r\n0;", "aab\r\n0;"), "SignatureDoesNotMatch"],
    ["chunks out of order", [chunks[1], chunks[0], chunks[2]].join(""), "SignatureDoesNotMatch"],
    ["a chunk left out", [chunks[0], chunks[2]].join(""), "SignatureDoesNotMatch"],
    ["the end cut off", chunks.slice(0, 2).join(""), "IncompleteBody"],
    ["a header that is none", `xyz\r\n${chunks[2]}`, "InvalidRequest"],
    ["no chunk signature", "0\r\n\r\n", "InvalidRequest"],
  ])("refuses %s, buffered and streaming", async (_, text, code) => {
    const bytes = Buffer.from(text);
    expect(() => authenticate({ ...chunked, body: bytes })).toThrow(expect.objectContaining({ code }));
    const { body } = await authenticate({ ...chunked, body: Readable.from([bytes]) });
    await expect(buffer(body as Readable)).rejects.toMatchObject({ code });
  });

  it("decodes the payload with trailing headers", () => {
    const request = s3Request({
      method: "PUT",
      path: "/examplebucket/chunkObject.txt",
      headers: {
        host: "s3.amazonaws.com",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "66560",
        "x-amz-trailer": "x-amz-checksum-crc32c",
      },
      signedHeaders:
        "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
      signature: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
      body: Buffer.from(
        [
          `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${"a".repeat(65_536)}\r\n`,
          `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${"a".repeat(1024)}\r\n`,
          "0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n",
          "x-amz-checksum-crc32c:sOO8/Q==\n\r\n",
          "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n",
        ].join(""),
      ),
    });
    const { body, trailers } = authenticate(request) as { body: Buffer; trailers: object };
    expect(body).toHaveLength(66_560);
    expect(trailers).toEqual({ "x-amz-checksum-crc32c": "sOO8/Q==" });
    const forged = Buffer.from((request.body as Buffer).toString().replace("sOO8", "sOO9"));
    expect(() => authenticate({ ...request, body: forged })).toThrow(
      expect.objectContaining({ code: "SignatureDoesNotMatch" }),
    );
  });
});

it("verifies the ListUsers example of the IAM User Guide", () => {
  const authenticate = authenticator(Date.UTC(2015, 7, 30, 12, 36));
  const request: AuthRequest = {
    method: "GET",
    path: "/",
    query: "Action=ListUsers&Version=2010-05-08",
    headers: {
      host: "iam.amazonaws.com",
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "x-amz-date": "20150830T123600Z",
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    },
    body: Buffer.alloc(0),
    remoteAddress: "192.0.2.1",
  };
  expect(authenticate(request)).toMatchObject({ service: "iam" });
});
