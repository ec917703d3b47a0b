import { createHash, createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { SignatureV4 } from "@smithy/signature-v4";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#core/clock";
import { systemIds } from "#core/ids";
import { createAuthenticator } from "./authenticate.ts";
import { createCredentialStore } from "./credentials.ts";
import { createSessions } from "./sessions.ts";
import type { AuthRequest } from "./types.ts";

const now = Date.UTC(2026, 0, 1);
const clock = new ManualClock(now);
const sessions = createSessions({ key: Buffer.alloc(32, 7), clock, ids: systemIds });
const credentials = createCredentialStore({
  account: "000000000000",
  rootKey: { id: "test", secret: "test" },
  sessions,
});
const authenticate = createAuthenticator({ credentials, clock });

class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as Uint8Array);
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

interface Plain {
  readonly service?: string;
  readonly method?: string;
  readonly path?: string;
  readonly query?: Record<string, string | string[]>;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  readonly key?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly date?: number;
  readonly presign?: number;
}

/** A request that the official signer signed, as the listener would hand it over. */
async function signed(plain: Plain = {}): Promise<AuthRequest> {
  const { service = "lambda", method = "POST", path = "/", query = {}, body = Buffer.alloc(0) } = plain;
  const signer = new SignatureV4({
    service,
    region: "eu-west-1",
    credentials: plain.key ?? { accessKeyId: "test", secretAccessKey: "test" },
    sha256: Sha256,
    uriEscapePath: service !== "s3",
  });
  const request = {
    protocol: "http:",
    hostname: "localhost",
    method,
    path,
    query,
    headers: { host: "localhost:4566", ...plain.headers },
    ...(plain.presign === undefined && { body }),
  };
  const signingDate = new Date(plain.date ?? now);
  const done =
    plain.presign === undefined
      ? await signer.sign(request, { signingDate })
      : await signer.presign(request, { signingDate, expiresIn: plain.presign });
  const headers = Object.entries(done.headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    method,
    path,
    query: writeQuery(done.query ?? {}),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
    remoteAddress: "127.0.0.1",
  };
}

function writeQuery(query: Record<string, string | string[] | null>): string {
  return Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((each) => `${escape(name)}=${escape(each ?? "")}`))
    .join("&");
}

function escape(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

async function failure(request: AuthRequest): Promise<Record<string, unknown>> {
  try {
    await authenticate(request);
  } catch (error) {
    const { code, status, message, members } = error as Record<string, unknown>;
    return { code, status, message, members };
  }
  throw new Error("the request was accepted");
}

describe("a body over 1 MB", () => {
  const body = Buffer.alloc(1_500_000, "thaw");
  const contentHash = createHash("sha256").update(body).digest("hex");

  it.each(["lambda", "s3"])(
    "of %s is hashed later than a small one, and checked all the same",
    async (service) => {
      const headers = { "x-amz-content-sha256": contentHash };
      const request = await signed({ service, body, headers });
      const pending = authenticate(request);
      expect(pending).toBeInstanceOf(Promise);
      expect(await pending).toMatchObject({ service, region: "eu-west-1" });
      const changed = Buffer.from(body);
      changed[1_400_000] = 0;
      expect(await failure({ ...request, body: changed })).toMatchObject({
        code: service === "s3" ? "XAmzContentSHA256Mismatch" : "InvalidSignatureException",
      });
    },
  );
});

const safeText = fc.string({ unit: "grapheme", maxLength: 12 }).filter((text) => text.isWellFormed());
const path = fc
  .array(fc.oneof(safeText.map(escape), fc.constantFrom("", ".", "..", "a:b", "~x", "%2F")), { maxLength: 6 })
  .map((parts) => `/${parts.join("/")}`);
const query = fc.dictionary(
  safeText.filter((text) => text !== "" && text !== "__proto__" && text.toLowerCase() !== "x-amz-signature"),
  fc.oneof(safeText, fc.array(safeText, { minLength: 1, maxLength: 3 })),
  { maxKeys: 5 },
);
const headerValue = fc.string({
  unit: fc.constantFrom("a", "B", " ", "\t", ",", ";", "é", "1"),
  maxLength: 12,
});
const headers = fc.dictionary(fc.stringMatching(/^x-amz-meta-[a-z]{1,8}$/), headerValue, { maxKeys: 4 });
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

describe("requests of the official signer", () => {
  it.each(["lambda", "s3"])(
    "are accepted for %s, and no longer once anything is changed",
    async (service) => {
      await fc.assert(
        fc.asyncProperty(path, query, headers, body, async (onPath, asked, sent, payload) => {
          const request = await signed({ service, path: onPath, query: asked, headers: sent, body: payload });
          const { principal, region, body: kept } = await authenticate(request);
          expect(principal).toMatchObject({ kind: "root", account: "000000000000" });
          expect(region).toBe("eu-west-1");
          expect(kept).toBe(payload);
          for (const changed of [
            { ...request, method: "PUT" },
            { ...request, path: `${request.path}x` },
            { ...request, query: `${request.query}&more=1` },
            { ...request, body: Buffer.concat([payload, Buffer.of(1)]) },
            { ...request, headers: { ...request.headers, host: "elsewhere" } },
          ])
            await expect(failure(changed)).resolves.toMatchObject({ code: expect.any(String) });
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(["lambda", "s3"])("are accepted as presigned URLs for %s", async (service) => {
    await fc.assert(
      fc.asyncProperty(path, query, async (onPath, asked) => {
        const plain = { service, path: onPath, query: asked, presign: 60 };
        const request = await signed({
          ...plain,
          ...(service === "s3" && { headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } }),
        });
        const { headers: own, ...rest } = request;
        await authenticate({ ...rest, headers: own });
        await expect(failure({ ...request, query: `${request.query}&more=1` })).resolves.toMatchObject({
          status: 403,
        });
      }),
      { numRuns: 40 },
    );
  });

  it("are accepted with a session's credentials, and refused with another's token", async () => {
    const role = {
      account: "111122223333",
      roleArn: "arn:aws:iam::111122223333:role/path/worker",
      roleId: "AROAX",
    };
    const own = sessions.mint({ ...role, sessionName: "one", durationMs: 60_000 });
    const other = sessions.mint({ ...role, sessionName: "two", durationMs: 60_000 });
    const { principal } = await authenticate({ ...(await signed({ key: own })), remoteAddress: "10.0.0.9" });
    expect(principal).toEqual({
      kind: "assumed-role",
      account: "111122223333",
      arn: "arn:aws:sts::111122223333:assumed-role/worker/one",
      userId: "AROAX:one",
      roleArn: role.roleArn,
      session: { issuedAt: clock.now(), expiresAt: own.expiration },
    });
    const stolen = { ...own, sessionToken: other.sessionToken };
    await expect(failure(await signed({ key: stolen }))).resolves.toMatchObject({
      code: "UnrecognizedClientException",
      status: 403,
    });
  });
});

describe("failures", () => {
  it("words a wrong secret as each kind of service does", async () => {
    const key = { accessKeyId: "test", secretAccessKey: "wrong" };
    const codes = {
      lambda: ["InvalidSignatureException", 403],
      logs: ["InvalidSignatureException", 400],
      iam: ["SignatureDoesNotMatch", 403],
      ec2: ["AuthFailure", 401],
      s3: ["SignatureDoesNotMatch", 403],
    } as const;
    for (const [service, [code, status]] of Object.entries(codes)) {
      const target: Record<string, string> = service === "logs" ? { "x-amz-target": "Logs_20140328.X" } : {};
      const form: Record<string, string> =
        service === "iam" ? { "content-type": "application/x-www-form-urlencoded" } : {};
      const request = await signed({ service, key, headers: { ...target, ...form } });
      await expect(failure(request)).resolves.toMatchObject({ code, status });
    }
  });

  it("tells what S3 calculated", async () => {
    const request = await signed({ service: "s3", key: { accessKeyId: "test", secretAccessKey: "wrong" } });
    const { members } = await failure(request);
    expect(Object.keys(members as object).toSorted()).toEqual([
      "AWSAccessKeyId",
      "CanonicalRequest",
      "CanonicalRequestBytes",
      "SignatureProvided",
      "StringToSign",
      "StringToSignBytes",
    ]);
  });

  it("says when a signature was made too early or too late", async () => {
    await expect(failure(await signed({ date: now - 301_000 }))).resolves.toMatchObject({
      code: "InvalidSignatureException",
      message:
        "Signature expired: 20251231T235459Z is now earlier than 20251231T235500Z (20260101T000000Z - 5 min.)",
    });
    await expect(failure(await signed({ date: now + 301_000 }))).resolves.toMatchObject({
      message:
        "Signature not yet current: 20260101T000501Z is still later than 20260101T000500Z (20260101T000000Z + 5 min.)",
    });
    await expect(failure(await signed({ service: "s3", date: now - 901_000 }))).resolves.toMatchObject({
      code: "RequestTimeTooSkewed",
      members: { MaxAllowedSkewMilliseconds: "900000" },
    });
  });

  it("says when a presigned URL has expired or lives too long", async () => {
    const late = await signed({ service: "s3", method: "GET", presign: 1, date: now - 2000 });
    await expect(failure(late)).resolves.toEqual({
      code: "AccessDenied",
      status: 403,
      message: "Request has expired",
      members: { "X-Amz-Expires": "1", Expires: "2025-12-31T23:59:59Z", ServerTime: "2026-01-01T00:00:00Z" },
    });
    const good = await signed({ service: "s3", method: "GET", presign: 60 });
    for (const lifetime of ["604801", "-1", "soon"])
      await expect(
        failure({ ...good, query: good.query.replace("X-Amz-Expires=60", `X-Amz-Expires=${lifetime}`) }),
      ).resolves.toMatchObject({ code: "AuthorizationQueryParametersError", status: 400 });
    const short = { ...good, query: good.query.replace("X-Amz-Date", "Y") };
    await expect(failure(short)).resolves.toMatchObject({
      message:
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
    });
  });

  it("takes the well-known key from this machine alone", async () => {
    const request = await signed();
    for (const remoteAddress of ["10.0.0.1", "::ffff:10.0.0.1", "127.0.0.1.evil", ""])
      await expect(failure({ ...request, remoteAddress })).resolves.toMatchObject({
        code: "UnrecognizedClientException",
        message: "The security token included in the request is invalid.",
      });
    for (const remoteAddress of ["::1", "::ffff:127.0.0.1", "127.8.8.8"])
      await authenticate({ ...request, remoteAddress });
  });

  it("selects the account that a twelve-digit key names", async () => {
    const key = { accessKeyId: "123456789012", secretAccessKey: "test" };
    const { principal } = await authenticate(await signed({ key }));
    expect(principal.account).toBe("123456789012");
  });

  it.each([
    ["", "MissingAuthenticationTokenException", "Missing Authentication Token"],
    ["Bearer x", "IncompleteSignatureException", "Unsupported AWS 'algorithm': 'Bearer'."],
    [
      "AWS4-HMAC-SHA256 SignedHeaders=host",
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 SignedHeaders=host",
    ],
    [
      "AWS4-HMAC-SHA256 Credential=test/20260101/x, SignedHeaders=host, Signature=0",
      "IncompleteSignatureException",
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'test/20260101/x'",
    ],
    [
      "AWS4-HMAC-SHA256 Credential=test/20260101/x/lambda/aws3, SignedHeaders=host, Signature=0",
      "InvalidSignatureException",
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws3'.",
    ],
    ...["..", "r".repeat(33), "US-EAST-1", "é"].map((region) => [
      `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/lambda/aws4_request, SignedHeaders=host, Signature=0`,
      "InvalidSignatureException",
      `Credential should be scoped to a valid region, not '${region}'.`,
    ]),
    [
      "AWS4-HMAC-SHA256 Credential=test/20260102/x/lambda/aws4_request, SignedHeaders=host, Signature=0",
      "InvalidSignatureException",
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260102' != '20260101', from '20260101T000000Z'.",
    ],
    [
      "AWS4-HMAC-SHA256 Credential=test/20260101/x/lambda/aws4_request, SignedHeaders=x-amz-date, Signature=0",
      "InvalidSignatureException",
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    ],
    [
      "AWS4-HMAC-SHA256 Credential=nobody/20260101/x/lambda/aws4_request, SignedHeaders=host, Signature=0",
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    ],
  ])("answers Authorization %j with %s", async (authorization, code, message) => {
    const sent = { host: "h", "x-amz-date": "20260101T000000Z", ...(authorization && { authorization }) };
    const request = { ...(await signed()), path: "/2015-03-31/functions", headers: sent };
    await expect(failure(request)).resolves.toMatchObject({ code, status: 403, message });
  });

  it("is never anything but an AwsError, whatever the headers", async () => {
    const word = fc.constantFrom(
      "Credential=",
      "Signature=",
      "SignedHeaders=",
      "AWS4-HMAC-SHA256 ",
      ",",
      "test/20260101/r/s3/aws4_request",
      "constructor;host",
      "__proto__;host",
      "/",
      "=",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { maxLength: 10 }),
        fc.string({ unit: "binary" }),
        async (words, asked) => {
          const sent = { host: "h", "x-amz-date": "20260101T000000Z", authorization: words.join("") };
          const request = { ...(await signed()), query: asked, headers: sent };
          await expect(failure(request)).resolves.toMatchObject({ code: expect.any(String) });
        },
      ),
    );
  });

  it("wants every x-amz header of an S3 request signed", async () => {
    const request = await signed({ service: "s3" });
    await expect(
      failure({ ...request, headers: { ...request.headers, "x-amz-meta-wrong": "1" } }),
    ).resolves.toEqual({
      code: "AccessDenied",
      status: 403,
      message: "There were headers present in the request which were not signed",
      members: { HeadersNotSigned: "x-amz-meta-wrong" },
    });
  });

  it("ends a stream that is not what was signed in an error", async () => {
    const payload = Buffer.from("payload");
    for (const [service, code] of [
      ["s3", "XAmzContentSHA256Mismatch"],
      ["lambda", "InvalidSignatureException"],
    ] as const) {
      const request = await signed({ service, body: payload });
      const good = await authenticate({ ...request, body: Readable.from([payload]) });
      await expect(buffer(good.body as Readable)).resolves.toEqual(payload);
      const bad = await authenticate({ ...request, body: Readable.from([Buffer.from("other")]) });
      await expect(buffer(bad.body as Readable)).rejects.toMatchObject({ code });
    }
  });
});
