import type { CORSRule } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { s3Call, textOf } from "../../support/s3-service.ts";
import { Bucket, withBucket } from "./bucket.ts";
import { type Json, Recording } from "./recording.ts";

const on = withBucket();
const ORIGIN = "https://localhost:4200";

const put = (...CORSRules: Partial<CORSRule>[]) =>
  on.s3.call("PutBucketCors", { Bucket, CORSConfiguration: { CORSRules: CORSRules as CORSRule[] } });

/** What a header means is not how it is written. */
const lower = (headers: Record<string, Json>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

interface Answer {
  readonly Body: Json;
  readonly Headers: Record<string, Json>;
  readonly StatusCode: number;
}

function options(
  recording: Recording,
  step: string,
  headers: Record<string, string>,
  path = `/${Bucket}/key`,
): void {
  const { Body, Headers, StatusCode } = recording.read(step) as unknown as Answer;
  const answer = on.s3.service.preflight({ path, headers: { host: "127.0.0.1:4566", ...headers } });
  expect(answer.status, step).toBe(StatusCode);
  const shown = lower(Headers);
  for (const own of ["date", "server", "content-length", "content-type", "transfer-encoding", "connection"])
    delete shown[own];
  const { "content-type": _, ...answered } = answer.headers;
  recording.compare(shown, answered, step);
  if (typeof Body === "object" && Body !== null) {
    const { Error: error } = Body as { Error: Record<string, string> };
    for (const [name, value] of Object.entries(error))
      if (!/^(?:HostId|RequestId)$/.test(name))
        expect(answer.body, step).toContain(`<${name}>${value.replaceAll("'", "&apos;")}</${name}>`);
  }
}

/** The headers of an answer to GetObject that CORS is about. */
async function got(headers: Record<string, string>): Promise<Record<string, Json>> {
  const call = s3Call({ headers });
  const output = await on.s3.service.operations.GetObject({ Bucket, Key: "key" }, call);
  expect(await textOf(output)).toBe("test-cors");
  return call.responseHeaders;
}

function corsOf(recording: Recording, step: string): Record<string, Json> {
  const { Headers } = recording.read(step) as unknown as Answer;
  return Object.fromEntries(
    Object.entries(lower(Headers)).filter(([name]) => name.startsWith("access-control") || name === "vary"),
  );
}

describe("CORS", () => {
  test("test_put_cors_invalid_rules", async () => {
    const recording = new Recording("cors", "test_put_cors_invalid_rules");
    await recording.expect(
      "put-cors-exc",
      put({ AllowedOrigins: ["https://localhost:4200"], AllowedMethods: ["GET", "MYMETHOD"] }),
    );
    await recording.expect("put-cors-exc-empty", put());
  });

  test("test_cors_http_options_non_existent_bucket", () => {
    const recording = new Recording("cors", "test_cors_http_options_non_existent_bucket");
    const ask = (step: string, headers: Record<string, string>): void => {
      const { Error: error } = recording.read(step) as { Error: Record<string, string> };
      const answer = on.s3.service.preflight({ path: "/nobodys-bucket/key", headers });
      for (const [name, value] of Object.entries(error))
        if (!/^(?:HostId|RequestId)$/.test(name))
          expect(answer.body).toContain(`<${name}>${value}</${name}>`);
    };
    ask("options-no-origin", {});
    ask("options-with-origin", { origin: ORIGIN, "access-control-request-method": "PUT" });
  });

  test("test_cors_expose_headers", async () => {
    const recording = new Recording("cors", "test_cors_expose_headers");
    const ExposeHeaders = ["x-amz-id-2", "x-amz-request-id", "x-amz-request-payer"];
    await put({ AllowedOrigins: ["*"], AllowedMethods: ["GET"], ExposeHeaders });
    options(recording, "opt-get", { origin: ORIGIN, "access-control-request-method": "GET" });
  });

  test("test_cors_match_origins", async () => {
    const recording = new Recording("cors", "test_cors_match_origins");
    await on.put("key", "test-cors");
    const rule = { AllowedMethods: ["GET", "PUT"], MaxAgeSeconds: 3000, AllowedHeaders: ["*"] };
    await put({ ...rule, AllowedOrigins: [ORIGIN] });
    const method = { "access-control-request-method": "PUT" };
    options(recording, "opt-no-origin", method);
    options(recording, "opt-referer", { ...method, referer: ORIGIN });
    options(recording, "opt-right-origin", { ...method, origin: ORIGIN });
    options(recording, "opt-wrong-origin", { ...method, origin: "https://wrong.com:9000" });
    expect(await got({})).toEqual({});
    expect(await got({ origin: ORIGIN })).toEqual(corsOf(recording, "get-right-origin"));
    expect(await got({ origin: "https://wrong.com:9000" })).toEqual(corsOf(recording, "get-wrong-origin"));
    await put({ ...rule, AllowedOrigins: ["*"] });
    options(recording, "opt-random-wildcard-origin", { ...method, origin: "https://random:1234" });
    const wildcard = await got({ origin: "https://random:1234" });
    expect(wildcard).toEqual(corsOf(recording, "get-random-wildcard-origin"));
  });

  test("test_cors_options_match_partial_origin", async () => {
    const recording = new Recording("cors", "test_cors_options_match_partial_origin");
    const rule = { AllowedMethods: ["GET", "PUT"], MaxAgeSeconds: 3000, AllowedHeaders: ["*"] };
    await put({ ...rule, AllowedOrigins: ["http://*.origin.com"] });
    const headers = { origin: "http://test.origin.com", "access-control-request-method": "PUT" };
    options(recording, "options_match_partial_origin", headers);
  });

  test("test_cors_options_fails_partial_origin", async () => {
    const recording = new Recording("cors", "test_cors_options_fails_partial_origin");
    await put({ AllowedMethods: ["GET"], AllowedOrigins: ["http://*.origin.com"], AllowedHeaders: ["*"] });
    const headers = { origin: "http://test.another.com", "access-control-request-method": "GET" };
    options(recording, "options_fails_partial_origin", headers, `/${Bucket}`);
  });

  test("test_cors_match_headers", async () => {
    const recording = new Recording("cors", "test_cors_match_headers");
    await on.put("key", "test-cors");
    const rule = { AllowedOrigins: [ORIGIN], AllowedMethods: ["GET"], MaxAgeSeconds: 3000 };
    const asks = (headers: string) => ({
      origin: ORIGIN,
      "access-control-request-method": "GET",
      "access-control-request-headers": headers,
    });
    await put({ ...rule, AllowedHeaders: ["*"] });
    options(recording, "opt-get", asks("x-amz-request-payer"));
    options(recording, "opt-get-two", asks("x-amz-request-payer, x-amz-expected-bucket-owner"));
    const AllowedHeaders = [
      "x-amz-expected-bucket-owner",
      "x-amz-server-side-encryption-customer-algorithm",
      "x-AMZ-server-SIDE-encryption",
    ];
    await put({ ...rule, AllowedHeaders });
    await recording.expect("get-bucket-cors-casing", on.s3.call("GetBucketCors", { Bucket }));
    options(recording, "opt-get-non-allowed", asks("x-amz-request-payer"));
    options(recording, "opt-get-allowed", asks("x-amz-expected-bucket-owner"));
    options(
      recording,
      "opt-get-allowed-diff-casing",
      asks("x-amz-expected-bucket-owner, x-amz-server-SIDE-encryption"),
    );
    options(
      recording,
      "opt-get-allowed-no-space",
      asks("x-amz-expected-bucket-owner,x-amz-server-SIDE-encryption"),
    );
  });
});
