import { describe, expect, it } from "vitest";
import { control, type ControlOptions } from "./control.ts";
import type { HttpRequest } from "./listener.ts";

const options: ControlOptions = {
  version: "1.2.3",
  health: () => ({ status: "ready" }),
  reset: undefined,
  metrics: () => Promise.resolve("# EOF\n"),
  outbox: () => [{ to: "a@example.org" }],
  permissions: () => ({ uses: [], denials: [] }),
  cost: (query) => Promise.resolve(query === "by=day" ? { usage: [] } : undefined),
  download: () => undefined,
  issuer: (path) => (path === "/_thaw/issuers/i" ? { issuer: "i" } : undefined),
};

function request(partial: Partial<HttpRequest>): HttpRequest {
  return {
    method: "GET",
    path: "/",
    query: "",
    headers: {},
    body: Buffer.alloc(0),
    remoteAddress: "127.0.0.1",
    fromThisHost: true,
    baseUrl: "http://127.0.0.1:5000",
    signal: AbortSignal.abort(),
    ...partial,
  };
}

const curl = { accept: "*/*", "user-agent": "curl/8.0" };

describe("GET /", () => {
  it("tells a visitor what this is and how to reach it", async () => {
    const response = await control(options, request({ headers: curl }));
    expect(response).toMatchObject({ status: 200, headers: { "content-type": "text/plain; charset=utf-8" } });
    expect(response?.body).toMatch(/^Thaw 1\.2\.3 /);
    expect(response?.body).toContain("thaw env --endpoint http://127.0.0.1:5000)");
  });

  it("puts nothing into commands that a shell would run", async () => {
    const response = await control(options, request({ headers: curl, baseUrl: "http://x$(reboot)" }));
    expect(response?.body).not.toContain("reboot");
  });

  it.each([
    ["signed", { headers: { ...curl, authorization: "AWS4-HMAC-SHA256 Credential=…" } }],
    ["presigned", { query: "X-Amz-Algorithm=AWS4-HMAC-SHA256" }],
    ["an action", { query: "Action=GetCallerIdentity&Version=2011-06-15" }],
    ["an anonymous client's", { headers: { "user-agent": "Boto3/1.34" } }],
    ["an upgrade", { headers: { ...curl, upgrade: "websocket" } }],
    ["a POST", { method: "POST" }],
    ["a bucket's", { path: "/bucket" }],
  ])("is left to AWS where it is %s", (_, partial) =>
    expect(control(options, request({ headers: curl, ...partial }))).toBeUndefined(),
  );
});

it("answers JSON below /_thaw/", async () => {
  const health = await control(options, request({ path: "/_thaw/health" }));
  expect(health).toMatchObject({ status: 200, body: '{"status":"ready"}\n' });
  expect(await control(options, request({ path: "/_thaw/nothing" }))).toMatchObject({ status: 404 });
  const issuer = await control(options, request({ path: "/_thaw/issuers/i" }));
  expect(issuer).toMatchObject({ status: 200, body: '{"issuer":"i"}\n' });
  expect(await control(options, request({ path: "/_thaw/issuers/j" }))).toMatchObject({ status: 404 });
  const reset = await control(options, request({ path: "/_thaw/reset", method: "POST" }));
  expect(reset).toMatchObject({ status: 403, body: expect.stringContaining("--allow-reset") });
});

it("shows metrics on this machine alone, and not to web pages", async () => {
  const path = "/_thaw/metrics";
  expect(await control(options, request({ path }))).toMatchObject({
    status: 200,
    headers: { "content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8" },
    body: "# EOF\n",
  });
  const headers = { origin: "https://example.org" };
  expect(await control(options, request({ path, headers }))).toMatchObject({ status: 403 });
  expect(await control(options, request({ path, fromThisHost: false }))).toMatchObject({ status: 403 });
});

it("shows the outbox on this machine alone, and to no web page", async () => {
  const outbox = request({ path: "/_thaw/outbox" });
  expect(await control(options, outbox)).toMatchObject({
    status: 200,
    body: '{"messages":[{"to":"a@example.org"}]}\n',
  });
  const elsewhere = await control(options, { ...outbox, fromThisHost: false });
  expect(elsewhere).toMatchObject({ status: 403 });
  const page = request({ path: "/_thaw/outbox", headers: { origin: "http://example.org" } });
  expect(await control(options, page)).toMatchObject({ status: 403 });
});
